/**
 * The text of one Word paragraph as its reader sees it: field results without their codes, insertions without deletions,
 * the base of ruby, equations as LaTeX; and what hangs on it (text boxes, charts, notes) for the caller to place.
 */
import { child, descendants, elements, textOf, type XmlNode } from '../../containers/xml.ts';
import { fieldTarget, linkText } from '../../markdown/link.ts';
import { chosen } from '../alternate-content.ts';
import { descriptionsOf } from '../description.ts';
import { references } from '../drawing.ts';
import { symbolCharacter } from './symbol-fonts.ts';
import { toLatex } from './omml.ts';
import { isMonospacedFont, toggle, type WordStyles } from './word-styles.ts';

/** Fields that are open (`w:fldChar`); they may run over paragraphs, so their state is the caller's. */
export type OpenFields = ('code' | 'result')[];

export type WordText = {
  readonly text: string;
  /** Block equations (`m:oMathPara`), or all of a paragraph that is nothing but equations. */ readonly equations: readonly string[];
  /** `w:txbxContent`, each once. */ readonly boxes: readonly XmlNode[];
  /** `c:chart`, `dgm:relIds`. */ readonly references: readonly XmlNode[];
  readonly notes: readonly { readonly kind: 'footnote' | 'endnote'; readonly id: string; readonly mark: string }[];
  /** Ids of comments that end here. */ readonly comments: readonly string[];
  /** What pictures and shapes show, as their author said it for those who do not see them. */ readonly descriptions: readonly string[];
  /** Every visible run is set in a font of equal widths. */ readonly isMonospaced: boolean;
};

type Context = {
  readonly styles: WordStyles;
  readonly fields: OpenFields;
  readonly nextMark: (kind: 'footnote' | 'endnote') => string;
  /** Where a link leads, by its relationship. */
  readonly linkOf: (id: string) => string | undefined;
};

const nestedFieldsMax = 100;
/** Of a field's code that are looked at. */
const codeCharactersMax = 5000;

/** Reads a `w:p`. */
export function readWordText(paragraph: XmlNode, isStyleMonospaced: boolean, context: Context): WordText {
  const out = {
    parts: [] as string[],
    /** Equations in the line, and whether anything else is. */
    inlineEquations: [] as string[],
    hasWords: false,
    equations: [] as string[],
    boxes: [] as XmlNode[],
    references: [] as XmlNode[],
    notes: [] as WordText['notes'][number][],
    comments: [] as string[],
    descriptions: [] as string[],
    runs: 0,
    monospacedRuns: 0,
  };
  /** Fields that began in this paragraph: their codes, and where their results begin. */
  const codes: { code: string; at: number }[] = [];
  const isShown = () => !context.fields.includes('code');

  function inline(node: XmlNode): void {
    for (const each of elements(node)) {
      switch (each.name) {
        case 'w:r':
          run(each);
          break;
        case 'm:oMath':
          equation(each, false);
          break;
        case 'm:oMathPara':
          for (const math of elements(each, 'm:oMath')) equation(math, true);
          break;
        case 'w:del':
        case 'w:moveFrom':
        case 'w:pPr':
        case 'w:sdtPr':
          break;
        case 'mc:AlternateContent':
          inline(chosen(each));
          break;
        case 'w:hyperlink':
          linked(each, context.linkOf(each.attributes['r:id'] ?? ''));
          break;
        case 'w:fldSimple':
          linked(each, fieldTarget(each.attributes['w:instr'] ?? ''));
          break;
        default:
          inline(each); // insertions, content controls, smart tags, text directions
      }
    }
  }

  function linked(node: XmlNode, target: string | undefined): void {
    const at = out.parts.length;
    inline(node);
    link(at, target);
  }

  /** What stands from a part on leads to `target`. */
  function link(at: number, target: string | undefined): void {
    if (target !== undefined && out.parts.length > at) out.parts.push(linkText(out.parts.splice(at).join(''), target));
  }

  function run(node: XmlNode): void {
    const properties = child(node, 'w:rPr');
    const style = context.styles.character(child(properties, 'w:rStyle')?.attributes['w:val']);
    if (toggle(properties, 'w:vanish') ?? style.isHidden) return;
    const before = out.parts.length;
    for (const each of elements(node)) piece(each);
    const written = out.parts.slice(before).join('');
    if (written.trim() === '') return;
    out.runs++;
    if (isMonospacedFont(properties) ?? (style.isMonospaced || isStyleMonospaced)) out.monospacedRuns++;
  }

  function piece(node: XmlNode): void {
    switch (node.name) {
      case 'w:t':
        add(node.attributes['xml:space'] === 'preserve' ? textOf(node) : textOf(node).trim());
        break;
      case 'w:tab':
      case 'w:ptab':
        add('\t');
        break;
      case 'w:br':
        add(node.attributes['w:type'] === 'page' || node.attributes['w:type'] === 'column' ? '' : '\n');
        break;
      case 'w:cr':
        add('\n');
        break;
      case 'w:noBreakHyphen':
        add('-');
        break;
      case 'w:sym':
        add(symbol(node));
        break;
      case 'w:ruby':
        for (const base of elements(child(node, 'w:rubyBase'))) if (base.name === 'w:r') run(base);
        break;
      case 'w:footnoteReference':
      case 'w:endnoteReference':
        note(node);
        break;
      case 'w:commentReference':
        out.comments.push(node.attributes['w:id'] ?? '');
        break;
      case 'w:fldChar':
        field(node);
        break;
      case 'w:instrText': {
        const open = codes.at(-1);
        if (open !== undefined && open.code.length < codeCharactersMax) open.code += textOf(node);
        break;
      }
      case 'w:drawing':
      case 'w:pict':
      case 'w:object':
        hang(node);
        break;
      case 'mc:AlternateContent':
        for (const each of elements(chosen(node))) piece(each);
        break;
      case 'm:oMath':
        equation(node, false);
        break;
      default: // properties, field codes, deleted text, layout hints: nothing to read
    }
  }

  function add(text: string): void {
    if (text === '' || !isShown()) return;
    out.parts.push(text);
    if (!/^[\s,.;]*$/.test(text)) out.hasWords = true;
  }

  function equation(math: XmlNode, isBlock: boolean): void {
    const latex = toLatex(math);
    if (latex === '' || !isShown()) return;
    if (isBlock) {
      out.equations.push(latex);
      return;
    }
    out.inlineEquations.push(latex);
    out.parts.push(`$${latex}$`);
  }

  function note(node: XmlNode): void {
    if (!isShown() || node.attributes['w:customMarkFollows'] === '1') return;
    const kind = node.name === 'w:footnoteReference' ? 'footnote' : 'endnote';
    const mark = context.nextMark(kind);
    out.notes.push({ kind, id: node.attributes['w:id'] ?? '', mark });
    out.parts.push(`[^${mark}]`);
    out.hasWords = true;
  }

  function field(node: XmlNode): void {
    const type = node.attributes['w:fldCharType'];
    if (type === 'begin') {
      if (context.fields.length < nestedFieldsMax) {
        context.fields.push('code');
        codes.push({ code: '', at: out.parts.length });
      }
      const box = child(child(node, 'w:ffData'), 'w:checkBox');
      if (box !== undefined) {
        out.parts.push((toggle(box, 'w:checked') ?? toggle(box, 'w:default')) === true ? '☒ ' : '☐ ');
        out.hasWords = true;
      }
    } else if (type === 'separate' && context.fields.length > 0) {
      context.fields[context.fields.length - 1] = 'result';
      const open = codes.at(-1);
      if (open !== undefined) open.at = out.parts.length;
    } else if (type === 'end') {
      const open = codes.pop();
      const wasShown = context.fields.pop() === 'result' && isShown();
      if (open !== undefined && wasShown) link(open.at, fieldTarget(open.code));
    }
  }

  function hang(node: XmlNode): void {
    for (const box of descendants(node, 'w:txbxContent')) out.boxes.push(box);
    for (const reference of references(node)) out.references.push(reference);
    out.descriptions.push(...descriptionsOf(node));
  }

  inline(paragraph);
  const isOnlyEquations = out.inlineEquations.length > 0 && !out.hasWords;
  return {
    text: isOnlyEquations ? '' : out.parts.join(''),
    equations: isOnlyEquations ? [...out.inlineEquations, ...out.equations] : out.equations,
    boxes: out.boxes,
    references: out.references,
    notes: out.notes,
    comments: out.comments,
    descriptions: out.descriptions,
    isMonospaced: out.runs > 0 && out.runs === out.monospacedRuns,
  };
}

/** Symbol fonts keep their signs in the private use area; the few that carry meaning in text. */
function symbol(node: XmlNode): string {
  return symbolCharacter(node.attributes['w:font'] ?? '', Number.parseInt(node.attributes['w:char'] ?? '', 16));
}
