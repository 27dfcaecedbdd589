/**
 * The documents this page knows: found and sorted by the server, read again when their number changes. What was read is replaced in
 * one step, all of it, so that a list somebody reads neither shortens nor jumps.
 */
import { signal } from '@preact/signals';
import { listDocuments } from './api.ts';
import type { WireDocument } from './wire.ts';

export const documentSorts = ['-inserted_at', 'inserted_at', 'filename', '-file_size', '-pages'] as const;
export type DocumentSort = (typeof documentSorts)[number];

export type DocumentQuery = {
  /** Part of a name; '' for all. */
  readonly q: string;
  readonly sort: DocumentSort;
  /** A filter of the server's grammar, as JSON; null for none. */
  readonly filters: string | null;
};

const firstDocuments = 50;
const pageDocuments = 200;
/** Documents of one request while the list is read again, or all of it. */
const wideDocuments = 1000;

/** Null until the first page is there. */
export const documents = signal<readonly WireDocument[] | null>(null);
/** Whether the server has more than are here. */
export const moreDocuments = signal(false);
/** The question that `documents` answers. */
export const listed = signal<DocumentQuery | null>(null);

let wanted: DocumentQuery = { q: '', sort: '-inserted_at', filters: null };
let cursor: string | null = null;
let running: Promise<void> = Promise.resolve();

/** The first page of another question, or as many of the same as are known already. One call after the other; the last one counts. */
export function readDocuments(query: DocumentQuery): Promise<void> {
  wanted = query;
  return inTurn(async () => {
    if (query !== wanted) return;
    const isSame = listed.value !== null && JSON.stringify(listed.value) === JSON.stringify(query);
    const known = isSame ? (documents.value?.length ?? 0) : 0;
    const read: WireDocument[] = [];
    let next: string | null = null;
    do {
      const limit = known === 0 ? firstDocuments : Math.min(wideDocuments, Math.max(pageDocuments, known - read.length));
      const page = await listDocuments({ ...asked(query), limit, ...(next === null ? {} : { cursor: next }) });
      read.push(...page.documents);
      next = page.next_cursor;
    } while (next !== null && read.length < known);
    if (query === wanted) show(query, read, next);
  });
}

/** The next page, if there is one. */
export function readMoreDocuments(): Promise<void> {
  return inTurn(() => readPage(pageDocuments));
}

/** All that match, at most `max`. */
export async function readAllDocuments(max: number): Promise<void> {
  await inTurn(async () => {
    while (cursor !== null && (documents.value?.length ?? 0) < max) await readPage(wideDocuments);
  });
}

/** Without those that are gone. */
export function dropDocuments(docIds: ReadonlySet<string>): void {
  documents.value = documents.value?.filter((each) => !docIds.has(each.doc_id)) ?? null;
}

/** One that was changed, in its place. */
export function putDocument(changed: WireDocument): void {
  documents.value = documents.value?.map((each) => (each.doc_id === changed.doc_id ? changed : each)) ?? null;
}

async function readPage(limit: number): Promise<void> {
  const query = listed.value;
  if (cursor === null || query === null) return;
  const page = await listDocuments({ ...asked(query), limit, cursor });
  const known = new Set(documents.value?.map((each) => each.doc_id));
  const more = page.documents.filter((each) => !known.has(each.doc_id));
  show(query, [...(documents.value ?? []), ...more], page.next_cursor);
}

function asked({ q, sort, filters }: DocumentQuery): { q?: string; sort?: string; filters?: string } {
  return {
    ...(q.trim() === '' ? {} : { q: q.trim() }),
    ...(sort === '-inserted_at' ? {} : { sort }),
    ...(filters === null ? {} : { filters }),
  };
}

function show(query: DocumentQuery, read: readonly WireDocument[], next: string | null): void {
  documents.value = keepSame(read);
  listed.value = query;
  cursor = next;
  moreDocuments.value = next !== null;
}

/** Records that have not changed stay the same objects, so that their rows need not be drawn again. */
function keepSame(read: readonly WireDocument[]): readonly WireDocument[] {
  const known = new Map(documents.value?.map((each) => [each.doc_id, each]));
  return read.map((each) => {
    const before = known.get(each.doc_id);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(each) ? before : each;
  });
}

function inTurn(step: () => Promise<void>): Promise<void> {
  const mine = running.then(step, step);
  running = mine.catch(() => undefined);
  return mine;
}
