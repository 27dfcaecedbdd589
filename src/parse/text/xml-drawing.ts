/** Drawings (SVG): their title and descriptions, and each text as it stands in the file; what draws and styles is left out. */
import { readTags } from '../html/html-tags.ts';
import type { MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument } from '../parser.ts';

type Meta = Pick<ParsedDocument, 'title' | 'author' | 'language'>;

const textNames = new Set(['text', 'title', 'desc', 'foreignobject', 'flowroot']);
const unseen = new Set(['style', 'script', 'metadata']);
/** Lines of one paragraph. */
const linesMax = 1000;

/** Writes a drawing in one pass. @throws DocumentError `limit_exceeded` from the builder */
export function writeDrawing(text: string, builder: MarkdownBuilder): Meta {
  let open: { readonly name: string; depth: number } | null = null;
  let hidden = 0;
  let parts: string[] = [];
  let lines: string[] = [];
  let title: string | null = null;
  const flush = (): void => {
    builder.paragraph(lines.join('\n'));
    lines = [];
  };
  readTags(
    text,
    {
      open(name, attributes, isEmpty) {
        if (unseen.has(name)) hidden += isEmpty ? 0 : 1;
        else if (open === null && textNames.has(name) && !isEmpty) open = { name, depth: 0 };
        else if (open !== null) {
          // A piece that is placed by itself is a line, or a column, of its own.
          if (attributes['x'] !== undefined || attributes['dy'] !== undefined || name === 'p' || name === 'div' || name === 'br')
            parts.push('\n');
          if (!isEmpty && name === open.name) open.depth += 1;
        }
      },
      text: (data) => void (open !== null && hidden === 0 && parts.push(data.replace(/\s+/g, ' '))),
      close(name) {
        if (unseen.has(name)) hidden = Math.max(0, hidden - 1);
        else if (open !== null && name === open.name && open.depth > 0) open.depth -= 1;
        else if (open !== null && name === open.name) {
          const shown = parts
            .join('')
            .split('\n')
            .map((line) => line.trim())
            .filter((line) => line !== '')
            .join('\n');
          if (open.name === 'title' && title === null && shown !== '') builder.heading(1, (title = shown.slice(0, 1000)));
          else if (shown !== '') lines.push(shown);
          if (lines.length >= linesMax) flush();
          [open, parts] = [null, []];
        }
      },
    },
    { xml: true, allAttributes: true },
  );
  flush();
  return { title, author: null, language: null };
}
