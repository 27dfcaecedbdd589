/** Text of DrawingML bodies (`a:p`): slides, charts, diagrams, shapes in sheets. */
import { child, descend, descendants, elements, textOf, type XmlNode } from '../containers/xml.ts';
import { linkText } from '../markdown/link.ts';
import { toLatex } from './word/omml.ts';

/** Where links of a part lead, by their relationships. */
type Links = ReadonlyMap<string, string>;

/** The lines of a text body, one a paragraph (`a:p`). */
export function drawingText(body: XmlNode | null | undefined, links: Links = new Map()): string[] {
  return elements(body, 'a:p')
    .map((paragraph) => paragraphText(paragraph, links).trim())
    .filter((line) => line !== '');
}

/** Runs, fields and line breaks of an `a:p`. */
export function paragraphText(paragraph: XmlNode, links: Links = new Map()): string {
  const linked: { text: string; readonly target: string | undefined }[] = [];
  for (const each of elements(paragraph)) {
    const target = links.get(descend(each, 'a:rPr', 'a:hlinkClick')?.attributes['r:id'] ?? '');
    const last = linked.at(-1);
    // Runs that only look otherwise are one link.
    if (last !== undefined && last.target === target) last.text += pieceText(each);
    else linked.push({ text: pieceText(each), target });
  }
  return linked.map(({ text, target }) => (target === undefined ? text : linkText(text, target))).join('');
}

function pieceText(piece: XmlNode): string {
  if (piece.name === 'a:r' || piece.name === 'a:fld') return textOf(child(piece, 'a:t'));
  if (piece.name === 'a:br') return '\n';
  if (piece.name === 'a14:m') return [...descendants(piece, 'm:oMath')].map((math) => `$${toLatex(math)}$`).join(' ');
  return piece.name === 'a:tab' ? ' ' : '';
}
