/** What is hung on the text of a DOC file: footnotes, endnotes, comments, text boxes; and its running heads (MS-DOC 2.3). */
import { decodeAs } from '../../text/encoding.ts';
import { tableIndex, type DocHeader, type Story } from './doc-header.ts';
import type { Hung } from './doc-paragraphs.ts';

export type DocNotes = {
  /** By the place of the character that it is hung on. */
  readonly hungAt: ReadonlyMap<number, Hung>;
  /** Its text; null the second time, and where there is none. */
  storyOf(hung: Hung): Story | null;
  /** The name of who wrote a comment; '' where the file does not say. */
  authorOf(comment: number): string;
  /** Text boxes that have not been asked for. */
  freeBoxes(): Story[];
  readonly runningHeads: readonly { readonly name: 'Header' | 'Footer'; readonly story: Story }[];
};

/** Notes of one kind; more than a person can write. */
const notesMax = 100_000;
const commentBytes = 30;
const anchorBytes = 26;
const boxBytes = 22;
const nameCharactersMax = 200;

export function readNotes(header: DocHeader, encoding: string): DocNotes {
  const { stories, table } = header;
  const footnotes = storiesOf(table(tableIndex.footnotes), 0, stories.footnotes);
  const endnotes = storiesOf(table(tableIndex.endnotes), 0, stories.endnotes);
  const comments = storiesOf(table(tableIndex.comments), 0, stories.comments);
  const boxes = header.version === 8 ? storiesOf(table(tableIndex.boxes), boxBytes, stories.boxes) : [];
  const hungAt = new Map<number, Hung>();
  hang(placesOf(table(tableIndex.footnoteMarks), 2), 'footnote', hungAt);
  hang(placesOf(table(tableIndex.endnoteMarks), 2), 'endnote', hungAt);
  const commentMarks = table(tableIndex.commentMarks);
  hang(placesOf(commentMarks, header.version === 8 ? commentBytes : 20), 'comment', hungAt);
  hangBoxes(header, boxes.length, hungAt);
  const authors = header.version === 8 ? readAuthors(commentMarks, table(tableIndex.commentAuthors)) : [];
  const asked = new Set<Story>();
  const of = { footnote: footnotes, endnote: endnotes, comment: comments, box: boxes };
  return {
    hungAt,
    storyOf({ kind, index }) {
      const story = of[kind][index];
      if (story === undefined || asked.has(story)) return null;
      asked.add(story);
      return story;
    },
    authorOf: (comment) => authors[comment] ?? initialsOf(commentMarks, comment, encoding, header.version),
    freeBoxes: () => [...boxes, ...freeHeaderBoxes(header)].filter((story) => !asked.has(story)),
    runningHeads: readRunningHeads(header),
  };
}

/** A table of places, with `bytes` for what is said of each behind them all. */
function placesOf(table: Buffer, bytes: number): number[] {
  const count = Math.min(notesMax, Math.max(0, Math.floor((table.length - 4) / (4 + bytes))));
  return Array.from({ length: count }, (_, at) => table.readUInt32LE(at * 4));
}

/** Stretches of a story, one from each place to the next, within the story. */
function storiesOf(table: Buffer, bytes: number, { start, end }: Story): Story[] {
  const count = Math.min(notesMax, Math.max(0, Math.floor((table.length - 4) / (4 + bytes))));
  const stories: Story[] = [];
  let before = start;
  for (let at = 0; at < count; at++) {
    const from = Math.max(before, Math.min(end, start + table.readUInt32LE(at * 4)));
    const to = Math.max(from, Math.min(end, start + table.readUInt32LE(at * 4 + 4)));
    before = to;
    stories.push({ start: from, end: to });
  }
  return stories;
}

function hang(places: readonly number[], kind: Hung['kind'], hungAt: Map<number, Hung>): void {
  for (const [index, place] of places.entries()) if (!hungAt.has(place)) hungAt.set(place, { kind, index });
}

/** A box hangs on the character of its shape, whose number the box names. */
function hangBoxes({ table, version }: DocHeader, count: number, hungAt: Map<number, Hung>): void {
  if (version !== 8) return;
  const boxTable = table(tableIndex.boxes);
  const anchors = table(tableIndex.boxAnchors);
  const places = placesOf(anchors, anchorBytes);
  const byShape = new Map<number, number>();
  places.forEach((place, at) => byShape.set(anchors.readUInt32LE((places.length + 1) * 4 + at * anchorBytes), place));
  const entries = Math.floor((boxTable.length - 4) / (4 + boxBytes));
  for (let index = 0; index < Math.min(count, entries); index++) {
    const shape = boxTable.readUInt32LE((entries + 1) * 4 + index * boxBytes + 14);
    const place = byShape.get(shape);
    if (place !== undefined && !hungAt.has(place)) hungAt.set(place, { kind: 'box', index });
  }
}

/** Boxes in running heads are found nowhere in the text. */
function freeHeaderBoxes({ stories }: DocHeader): Story[] {
  return stories.headerBoxes.end > stories.headerBoxes.start ? [stories.headerBoxes] : [];
}

/** Of each section: even and odd heads, even and odd feet, first head, first foot; before them six separators of notes. */
function readRunningHeads({ stories, table, version }: DocHeader): { name: 'Header' | 'Footer'; story: Story }[] {
  const all = storiesOf(table(tableIndex.headers), 0, stories.headers);
  const separators = version === 8 ? 6 : 0;
  return all
    .map((story, at) => ({ story, kind: (at - separators) % 6, isHead: at >= separators }))
    .filter(({ isHead, story }) => isHead && story.end > story.start)
    .map(({ story, kind }) => ({ name: kind === 2 || kind === 3 || kind === 5 ? 'Footer' : 'Header', story }));
}

/** Names by comment, from the list of all who wrote any. */
function readAuthors(marks: Buffer, list: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 2 <= list.length && names.length < notesMax;) {
    const length = list.readUInt16LE(at);
    names.push(list.toString('utf16le', at + 2, at + 2 + Math.min(nameCharactersMax, length) * 2));
    at += 2 + length * 2;
  }
  const places = placesOf(marks, commentBytes);
  return places.map((_, at) => names[marks.readUInt16LE((places.length + 1) * 4 + at * commentBytes + 20)] ?? '');
}

/** Before Word 97 a comment has only initials. */
function initialsOf(marks: Buffer, comment: number, encoding: string, version: 6 | 8): string {
  if (version === 8) return '';
  const count = placesOf(marks, 20).length;
  const at = (count + 1) * 4 + comment * 20;
  return decodeAs(marks.subarray(at + 1, at + 1 + Math.min(9, marks[at] ?? 0)), encoding);
}
