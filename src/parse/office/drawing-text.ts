/** Text of DrawingML bodies (`a:p`): slides, charts, diagrams, shapes in sheets. */
import { child, descendants, elements, textOf, type XmlNode } from '../containers/xml.ts';
import { toLatex } from './word/omml.ts';

/** The lines of a text body, one a paragraph (`a:p`). */
export function drawingText(body: XmlNode | null | undefined): string[] {
  return elements(body, 'a:p')
    .map((paragraph) => paragraphText(paragraph).trim())
    .filter((line) => line !== '');
}

/** Runs, fields and line breaks of an `a:p`. */
export function paragraphText(paragraph: XmlNode): string {
  return elements(paragraph)
    .map((each) => {
      if (each.name === 'a:r' || each.name === 'a:fld') return textOf(child(each, 'a:t'));
      if (each.name === 'a:br') return '\n';
      if (each.name === 'a14:m') return [...descendants(each, 'm:oMath')].map((math) => `$${toLatex(math)}$`).join(' ');
      return each.name === 'a:tab' ? ' ' : '';
    })
    .join('');
}
