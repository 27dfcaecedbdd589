/** Styles of OpenDocument that tell structure: which paragraphs are titles or code, and how lists and headings are numbered. */
import { elements, type Attributes, type XmlNode } from '../../containers/xml.ts';
import { headingLevelOfName } from '../word/heading-name.ts';
import { formatNumber } from '../word/number-label.ts';

export interface OdfStyles {
  /** Takes the children of `office:styles` or `office:automatic-styles`. */
  add(node: XmlNode): void;
  /** 0 title, 1–9 heading; null: body text. */
  headingLevel(style: string | undefined): number | null;
  isCode(style: string | undefined): boolean;
  /** The label at a level (0-based) given the counts of all levels down to it; null for bullets and for lists without numbers. */
  label(list: string | undefined, counts: readonly number[]): string | null;
  /** Where a level begins to count. */
  start(list: string | undefined, level: number): number;
  /** The name under which headings count; undefined when they have no numbers. */
  readonly outline: string | undefined;
}

type Level = {
  readonly format: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly shown: number;
  readonly start: number;
};

/** Longer chains are loops. */
const chainMax = 32;
/** Names of styles and signs around numbers; each paragraph asks for them again. */
const textCharactersMax = 255;
const outlineName = '(outline)';
const codeName = /^(?:preformatted text|source ?code|code|code ?block|listing|vorformatierter text|预格式化的?文[本字]|代码)$/i;

export function createOdfStyles(): OdfStyles {
  const parents = new Map<string, string | undefined>();
  const displayNames = new Map<string, string>();
  const lists = new Map<string, Map<number, Level | null>>();

  function* chain(style: string | undefined): Generator<string> {
    let at = style;
    for (let count = 0; at !== undefined && count < chainMax; count++) {
      yield displayNames.get(at) ?? decodeName(at.slice(0, textCharactersMax));
      at = parents.get(at);
    }
  }

  /** What each style makes of a paragraph, as far as it was asked. */
  const known = new Map<string, { readonly level: number | null; readonly isCode: boolean }>();

  function meaning(style: string | undefined): { readonly level: number | null; readonly isCode: boolean } {
    const found = known.get(style ?? '');
    if (found !== undefined) return found;
    const names = [...chain(style)];
    const level = names.map(headingLevelOfName).find((each) => each !== null) ?? null;
    const read = { level, isCode: names.some((name) => codeName.test(name)) };
    known.set(style ?? '', read);
    return read;
  }

  return {
    add(node) {
      known.clear();
      const name = node.attributes['style:name'] ?? '';
      if (node.name === 'style:style') {
        parents.set(name, node.attributes['style:parent-style-name']);
        const shown = node.attributes['style:display-name'];
        if (shown !== undefined) displayNames.set(name, shown.slice(0, textCharactersMax));
      } else if (node.name === 'text:list-style') lists.set(name, readLevels(node));
      else if (node.name === 'text:outline-style') lists.set(outlineName, readLevels(node));
    },
    headingLevel: (style) => meaning(style).level,
    isCode: (style) => meaning(style).isCode,
    label(list, counts) {
      const levels = lists.get(list ?? '');
      const own = levels?.get(counts.length - 1);
      if (own === undefined || own === null || own.format === '') return null;
      const from = Math.max(0, counts.length - own.shown);
      const numbers = counts.slice(from).map((count, at) => {
        const format = levels?.get(from + at)?.format ?? '1';
        return formatNumber(count, formatNames[format] ?? (/一/.test(format) ? 'chineseCounting' : 'decimal'));
      });
      return `${own.prefix}${numbers.join('.')}${own.suffix}`.trim();
    },
    start: (list, level) => lists.get(list ?? '')?.get(level)?.start ?? 1,
    get outline() {
      return lists.has(outlineName) ? outlineName : undefined;
    },
  };
}

/** `style:num-format` to the names of `formatNumber`. */
const formatNames: Readonly<Record<string, string>> = {
  a: 'lowerLetter',
  A: 'upperLetter',
  i: 'lowerRoman',
  I: 'upperRoman',
  '①, ②, ③, ...': 'decimalEnclosedCircle',
  '甲, 乙, 丙, ...': 'ideographTraditional',
  '子, 丑, 寅, ...': 'ideographZodiac',
  '壹, 贰, 叁, ...': 'chineseLegalSimplified',
  '壹, 貳, 參, ...': 'ideographLegalTraditional',
  'ア, イ, ウ, ...': 'aiueo',
  '가, 나, 다, ...': 'ganada',
};

function readLevels(node: XmlNode): Map<number, Level | null> {
  const levels = new Map<number, Level | null>();
  for (const each of elements(node)) {
    const level = Number.parseInt(each.attributes['text:level'] ?? '1', 10) - 1;
    const isNumber = each.name === 'text:list-level-style-number' || each.name === 'text:outline-level-style';
    levels.set(level, isNumber ? readLevel(each.attributes) : null);
  }
  return levels;
}

function readLevel(attributes: Attributes): Level {
  return {
    format: (attributes['style:num-format'] ?? '').slice(0, textCharactersMax),
    prefix: (attributes['style:num-prefix'] ?? '').slice(0, textCharactersMax),
    suffix: (attributes['style:num-suffix'] ?? '').slice(0, textCharactersMax),
    shown: Number.parseInt(attributes['text:display-levels'] ?? '1', 10) || 1,
    start: Number.parseInt(attributes['text:start-value'] ?? '1', 10) || 1,
  };
}

/** `Heading_20_1` → `Heading 1`. */
function decodeName(name: string): string {
  return name.replace(/_([0-9a-f]{2,4})_/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
