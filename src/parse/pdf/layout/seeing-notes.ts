/** What OCR did not read, or not well, of the pages of one document: numbers of pages, each kind of which becomes one sentence. */

export type SeeingNotes = {
  /** Nothing that was read can be believed. */
  readonly doubtful: number[];
  /** More large pictures than are read. */
  readonly crowded: number[];
  /** A large picture is not in the file. */
  readonly missing: number[];
  /** There was no memory to draw a picture. */
  readonly undrawn: number[];
  /** A picture could not be read: pages by the sentence that says why. */
  readonly refused: Map<string, number[]>;
};

/** Large pictures of one page that are read beside its text: as many as there is room for, unless they lie upon each other. */
export const partsMax = 5;

export function createSeeingNotes(): SeeingNotes {
  return { doubtful: [], crowded: [], missing: [], undrawn: [], refused: new Map() };
}

export function joinedNotes(notes: readonly SeeingNotes[]): SeeingNotes {
  return {
    doubtful: notes.flatMap(({ doubtful }) => doubtful),
    crowded: notes.flatMap(({ crowded }) => crowded),
    missing: notes.flatMap(({ missing }) => missing),
    undrawn: notes.flatMap(({ undrawn }) => undrawn),
    refused: joinedRefusals(notes),
  };
}

function joinedRefusals(notes: readonly SeeingNotes[]): Map<string, number[]> {
  const joined = createSeeingNotes();
  for (const { refused } of notes)
    for (const [sentence, pages] of refused) for (const page of pages) addRefused(joined, page, sentence);
  return joined.refused;
}

export function addRefused({ refused }: SeeingNotes, page: number, sentence: string): void {
  const pages = refused.get(sentence);
  if (pages === undefined) refused.set(sentence, [page]);
  else pages.push(page);
}

export function warningsOfSeeing({ doubtful, crowded, missing, undrawn, refused }: SeeingNotes): string[] {
  const sentences: [string, readonly number[]][] = [
    ['Pages that OCR could not read with any certainty, if at all', doubtful],
    [`Pages with more than ${partsMax} large pictures without text, of which OCR read ${partsMax}`, crowded],
    ['Pages with pictures that are missing in the file', missing],
    ['Pages with pictures that OCR did not read, because there was no memory to draw them (MAX_PDF_MEMORY_MB)', undrawn],
  ];
  return [
    ...[...refused].map(([sentence, pages]) =>
      new Set(pages).size === 1
        ? `A picture on page ${pages[0]} was not read by OCR: ${sentence}`
        : `Pictures on pages ${pagesNamed(pages)} were not read by OCR: ${sentence}`,
    ),
    ...sentences.filter(([, pages]) => pages.length > 0).map(([sentence, pages]) => `${sentence}: ${pagesNamed(pages)}`),
  ];
}

const namedMax = 20;

/** `3, 5, 8`; of more than twenty how many more there are. */
export function pagesNamed(pages: readonly number[]): string {
  const each = [...new Set(pages)];
  return each.slice(0, namedMax).join(', ') + (each.length > namedMax ? ` and ${each.length - namedMax} more` : '');
}
