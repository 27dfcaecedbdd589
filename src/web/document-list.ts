/**
 * The documents this page knows: pages of `GET /documents`, read again when their number changes. What was read is replaced in one
 * step, all of it, so that a list somebody reads neither shortens nor jumps.
 */
import { signal } from '@preact/signals';
import { listDocuments } from './api.ts';
import type { WireDocument } from './wire.ts';

const firstDocuments = 50;
const pageDocuments = 200;
/** Documents of one request while the list is read again. */
const wideDocuments = 1000;

/** Null until the first page is there. */
export const documents = signal<readonly WireDocument[] | null>(null);
/** Whether the server has more than are here. */
export const moreDocuments = signal(false);

let cursor: string | null = null;
let running: Promise<void> = Promise.resolve();

/** The first page, or as many as are known already. One call after the other. */
export function readAgain(): Promise<void> {
  return inTurn(async () => {
    const wanted = documents.value?.length ?? 0;
    const read: WireDocument[] = [];
    let next: string | null = null;
    do {
      const limit = wanted === 0 ? firstDocuments : Math.min(wideDocuments, Math.max(pageDocuments, wanted - read.length));
      const page = await listDocuments({ limit, ...(next === null ? {} : { cursor: next }) });
      read.push(...page.documents);
      next = page.next_cursor;
    } while (next !== null && read.length < wanted);
    show(read, next);
  });
}

/** The next page, if there is one. */
export function readMoreDocuments(): Promise<void> {
  return inTurn(async () => {
    if (cursor === null) return;
    const page = await listDocuments({ limit: pageDocuments, cursor });
    const known = new Set(documents.value?.map((each) => each.doc_id));
    show([...(documents.value ?? []), ...page.documents.filter((each) => !known.has(each.doc_id))], page.next_cursor);
  });
}

/** Without those that are gone. */
export function dropDocuments(docIds: ReadonlySet<string>): void {
  documents.value = documents.value?.filter((each) => !docIds.has(each.doc_id)) ?? null;
}

function show(read: readonly WireDocument[], next: string | null): void {
  documents.value = keepSame(read);
  cursor = next;
  moreDocuments.value = next !== null;
}

/** Records that have not changed stay the same objects, so that their rows need not be drawn again. */
function keepSame(read: readonly WireDocument[]): readonly WireDocument[] {
  const known = new Map(documents.value?.map((each) => [each.doc_id, each]));
  return read.map((each) => {
    const before = known.get(each.doc_id);
    return before !== undefined && before.task_id === each.task_id && JSON.stringify(before) === JSON.stringify(each)
      ? before
      : each;
  });
}

function inTurn(step: () => Promise<void>): Promise<void> {
  const mine = running.then(step, step);
  running = mine.catch(() => undefined);
  return mine;
}
