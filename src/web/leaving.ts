/**
 * Deletions that were confirmed and wait a few seconds for an undo. When the page goes away meanwhile they are done at once: what was
 * confirmed is kept, and nothing that its reader believes to be deleted can still be found.
 */
import { signal } from '@preact/signals';
import { deleteAt, deletionPaths } from './api.ts';
import { dropDocuments } from './document-list.ts';

/** Seconds in which a deletion can be taken back. */
export const undoSeconds = 6;

/** The doc_ids that are going to be deleted and can still be kept. */
export const leaving = signal<ReadonlySet<string>>(new Set());

type Deletion = { readonly docIds: Set<string>; timer: ReturnType<typeof setTimeout> };

const waiting = new Set<Deletion>();

/** Deletes them after the time to undo. `onFailure` gets what went wrong; they stay then. */
export function deleteLater(docIds: readonly string[], onFailure: (error: unknown) => void): void {
  const deletion: Deletion = {
    docIds: new Set(docIds),
    timer: setTimeout(() => {
      waiting.delete(deletion);
      void deleteNow([...deletion.docIds]).catch(onFailure);
    }, undoSeconds * 1000),
  };
  waiting.add(deletion);
  mark(docIds, true);
}

/** Takes it back, for those for which there is still time. */
export function keepDocuments(docIds: readonly string[]): void {
  for (const deletion of waiting) {
    for (const id of docIds) deletion.docIds.delete(id);
    if (deletion.docIds.size > 0) continue;
    clearTimeout(deletion.timer);
    waiting.delete(deletion);
  }
  mark(docIds, false);
}

/** The page is going away: `keepalive` lets a request outlive it. */
export function leavesNow(): void {
  for (const { docIds, timer } of waiting) {
    clearTimeout(timer);
    for (const path of deletionPaths([...docIds]))
      void fetch(path, { method: 'DELETE', credentials: 'same-origin', keepalive: true }).catch(() => undefined);
  }
  waiting.clear();
}

async function deleteNow(docIds: readonly string[]): Promise<void> {
  try {
    for (const path of deletionPaths(docIds)) await deleteAt(path);
    dropDocuments(new Set(docIds));
  } finally {
    mark(docIds, false);
  }
}

function mark(docIds: readonly string[], isLeaving: boolean): void {
  const next = new Set(leaving.value);
  for (const id of docIds) {
    if (isLeaving) next.add(id);
    else next.delete(id);
  }
  leaving.value = next;
}
