/** Writes a story of a DOC file: headings, list items with their numbers, tables, paragraphs; notes and comments where they are hung. */
import type { BlockWriter } from '../block-writer.ts';
import type { WordNumbering } from './word-numbering.ts';
import type { Story } from './doc-header.ts';
import type { DocParagraph, Hung, Paragraphs } from './doc-paragraphs.ts';
import type { DocStyle, DocStyles } from './doc-styles.ts';
import { createDocTables } from './doc-tables.ts';
import type { Repeats } from '../../repeats.ts';

export type DocContext = {
  readonly paragraphs: Paragraphs;
  readonly styles: DocStyles;
  readonly numbering: WordNumbering;
  readonly repeats: Repeats;
  readonly onCells: (count: number) => void;
  readonly onParagraph: () => void;
  /** Writes what is hung on a paragraph. */
  readonly writeHung: (hung: Hung, out: BlockWriter) => void;
};

const headingDepthMax = 9;

/** Writes the paragraphs of `story` to `out`. @throws DocumentError `limit_exceeded` (MAX_CELLS). */
export function writeStory(story: Story, context: DocContext, out: BlockWriter): void {
  const tables = createDocTables(out, context.onCells, context.repeats);
  let carried = '';
  let hasTitle = false;

  for (const paragraph of context.paragraphs.of(story)) {
    const { look, end } = paragraph;
    context.onParagraph();
    const depth = end === '\x07' ? Math.max(1, look.depth) : look.depth;
    if (look.endsRow && (end === '\x07' || look.depth > 1)) {
      tables.endRow(depth, look.row);
      continue;
    }
    const to = tables.writer(depth);
    const text = carried + paragraph.text.replace(/\t[\t ]*/g, ' ');
    carried = paragraph.runsOn ? text : '';
    if (!paragraph.runsOn) write(text, paragraph, to);
    for (const hung of paragraph.hung) context.writeHung(hung, to);
    if (end === '\x07' || look.endsInnerCell) tables.endCell(depth);
  }
  tables.finish();

  function write(text: string, { look }: DocParagraph, to: BlockWriter): void {
    if (text.trim() === '') return;
    const style = context.styles(look.style);
    const level = headingLevel(look.outline, style);
    const list = listOf({ look } as DocParagraph, context);
    const label = list === null ? null : context.numbering.next(list.id, list.level);
    const labelled = label === null ? text : `${label} ${text}`;
    if (level !== null) {
      if (level === 0) hasTitle = true;
      to.heading(level === 0 ? 1 : level + (hasTitle ? 1 : 0), labelled);
    } else if (list !== null && context.numbering.kind(list.id, list.level) !== 'none') {
      to.item({ text: text.trim(), level: list.level, label, list: list.id });
    } else writeBody(labelled, to);
  }
}

/** Check boxes and bullets that were typed rather than made are items too. */
function writeBody(text: string, to: BlockWriter): void {
  const [, mark, rest] = /^\s*([•▪‣●○■□➢➤❖◆◦☐☑☒✓])[\s\u3000]+(\S[^]*)$/.exec(text) ?? [];
  if (mark === undefined || rest === undefined) return to.paragraph(text);
  const box = mark === '☐' ? '[ ] ' : mark === '☑' || mark === '☒' ? '[x] ' : '';
  to.item({ text: `${box}${rest}`, level: 0, label: null, list: 'typed' });
}

function headingLevel(outline: number | null, style: DocStyle): number | null {
  if (style.headingLevel === 0) return 0;
  const level = outline === null || outline >= headingDepthMax ? style.headingLevel : outline + 1;
  return level === null || level > headingDepthMax || outline === headingDepthMax ? null : level;
}

function listOf({ look }: DocParagraph, { numbering }: DocContext): { id: string; level: number } | null {
  if (look.list === null || look.list <= 0) return null;
  const id = String(look.list);
  const level = numbering.levelOfStyle(id, String(look.style)) ?? look.listLevel ?? 0;
  return numbering.kind(id, level) === null ? null : { id, level };
}
