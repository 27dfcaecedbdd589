/** What a Word style makes of a paragraph: heading, list item, code; found along the chain of styles it is based on. */
import { child, descend, elements, type XmlNode } from '../../containers/xml.ts';
import { headingLevelOfName } from './heading-name.ts';

/** A style with what it inherits. */
export type WordStyle = {
  readonly id: string;
  /** 0 title, 1–9 heading; null: body text. */ readonly headingLevel: number | null;
  /** `0` switches numbering off. */ readonly numId: string | null;
  readonly listLevel: number | null;
  readonly isCode: boolean;
  readonly isMonospaced: boolean;
  readonly isHidden: boolean;
};

export interface WordStyles {
  /** The paragraph style of that id, the default one for undefined. */
  paragraph(id: string | undefined): WordStyle;
  character(id: string | undefined): WordStyle;
}

/** Longer chains are loops. */
const chainMax = 32;
const codeName =
  /^(?:source ?code|code|code ?block|code ?snippet|html preformatted|preformatted(?: text)?|verbatim|macro(?: text)?|program ?listing|代码|代码块|源代码|程序代码|コード|quellcode|quelltext)$/i;
const monospaced =
  /\bmono\b|monospace|courier|consolas|menlo|monaco|lucida console|source code|fira code|cascadia|inconsolata|andale mono/i;

/** What a style says itself, without what it inherits; null where it says nothing. */
type OwnStyle = {
  readonly basedOn: string | undefined;
  readonly headingLevel: number | null;
  readonly numId: string | null;
  readonly listLevel: number | null;
  readonly isCode: boolean;
  readonly isMonospaced: boolean | null;
  readonly isHidden: boolean | null;
};

/** Reads `word/styles.xml`; null gives a document in which every paragraph is body text. Linear: each style is looked through once. */
export function readWordStyles(root: XmlNode | null): WordStyles {
  const own = new Map<string, OwnStyle>();
  const defaults = new Map<string, string>();
  for (const node of elements(root, 'w:style')) {
    const id = node.attributes['w:styleId'] ?? '';
    own.set(id, readOwnStyle(node));
    if (isOn(node.attributes['w:default'])) defaults.set(node.attributes['w:type'] ?? '', id);
  }
  const known = new Map<string, WordStyle>();
  const find = (id: string): WordStyle => {
    let style = known.get(id);
    if (style === undefined) known.set(id, (style = resolve(id, own)));
    return style;
  };
  return {
    paragraph: (id) => find(id ?? defaults.get('paragraph') ?? ''),
    character: (id) => find(id ?? ''),
  };
}

function readOwnStyle(node: XmlNode): OwnStyle {
  const name = child(node, 'w:name')?.attributes['w:val'] ?? node.attributes['w:styleId'] ?? '';
  const numbering = descend(node, 'w:pPr', 'w:numPr');
  const runProperties = child(node, 'w:rPr');
  return {
    basedOn: child(node, 'w:basedOn')?.attributes['w:val'],
    headingLevel: levelOf(node, name),
    numId: child(numbering, 'w:numId')?.attributes['w:val'] ?? null,
    listLevel: numberOr(child(numbering, 'w:ilvl')?.attributes['w:val']),
    isCode: codeName.test(name.trim()),
    isMonospaced: isMonospacedFont(runProperties),
    isHidden: toggle(runProperties, 'w:vanish'),
  };
}

function resolve(id: string, own: ReadonlyMap<string, OwnStyle>): WordStyle {
  const chain: OwnStyle[] = [];
  for (let at: string | undefined = id; at !== undefined && chain.length < chainMax;) {
    const style = own.get(at);
    if (style === undefined) break;
    chain.push(style);
    at = style.basedOn;
  }
  const first = <Key extends keyof OwnStyle>(key: Key): OwnStyle[Key] | null =>
    chain.find((style) => style[key] !== null)?.[key] ?? null;
  return {
    id,
    headingLevel: headingLevel(chain.length === 0 ? headingLevelOfName(id) : first('headingLevel')),
    numId: first('numId'),
    listLevel: first('listLevel'),
    isCode: chain.some((style) => style.isCode),
    isMonospaced: first('isMonospaced') === true,
    isHidden: first('isHidden') === true,
  };
}

/** The name decides over the outline level: a style "Heading 2" at outline level 9 still heads something. */
function levelOf(node: XmlNode, name: string): number | null {
  return headingLevelOfName(name) ?? outlineLevel(child(node, 'w:pPr'));
}

/** 1–9 from `w:outlineLvl` 0–8; 10 for 9, which says "body text"; null where nothing is said. */
export function outlineLevel(properties: XmlNode | undefined): number | null {
  const level = numberOr(child(properties, 'w:outlineLvl')?.attributes['w:val']);
  return level === null ? null : level + 1;
}

function headingLevel(level: number | null): number | null {
  return level !== null && level >= 0 && level <= 9 ? level : null;
}

/** Whether run properties name a font of equal widths; null when they name none. */
export function isMonospacedFont(properties: XmlNode | undefined): boolean | null {
  const fonts = child(properties, 'w:rFonts')?.attributes;
  const font = fonts?.['w:ascii'] ?? fonts?.['w:hAnsi'];
  return font === undefined ? null : monospaced.test(font);
}

/** A toggle property such as `w:vanish`: null when absent. */
export function toggle(properties: XmlNode | undefined, name: string): boolean | null {
  const node = child(properties, name);
  return node === undefined ? null : isOn(node.attributes['w:val'] ?? '1');
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '0' && value !== 'false' && value !== 'off';
}

export function numberOr(value: string | undefined): number | null {
  const number = value === undefined ? Number.NaN : Number.parseInt(value, 10);
  return Number.isSafeInteger(number) ? number : null;
}
