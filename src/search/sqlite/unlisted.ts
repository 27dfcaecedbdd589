/**
 * Rows of an index file that nobody sees: those of a large document on its way in (`slices.ts`), and what is listed no more, which is swept
 * a slice at a time. The table `unlisted` has a note of each: one with a version keeps the rows for whoever brings it in, without one they
 * are to be swept. A process that died leaves its note behind: one on which nothing has moved for a while is taken for that.
 */
import type { IndexDatabase } from './database.ts';

/** Rows, and blocks, swept at once. */
const sweptRows = 1000;
const sweptBlocks = 32;
/** Looks at a note on which nothing moved, after which its process counts as dead. */
const deadAfterLooks = 30;

/** Rows that are listed no more are swept later. Call inside the write transaction that lists them no more. */
export function sweepLater(
  database: IndexDatabase,
  rows: { readonly document?: number; readonly firstChunk?: number; readonly chunks?: number; readonly segment?: number },
): void {
  database.run(
    'INSERT INTO unlisted(version, document, first_chunk, chunks, segment, moved) VALUES (NULL, ?, ?, ?, ?, 0)',
    rows.document ?? null,
    rows.firstChunk ?? null,
    rows.chunks ?? 0,
    rows.segment ?? null,
  );
}

export function hasToSweep(database: IndexDatabase): boolean {
  return database.get('SELECT 1 FROM unlisted WHERE version IS NULL LIMIT 1') !== undefined;
}

/** Sweeps a slice of what nobody wants. True when there was something: ask again. */
export function sweepSlice(database: IndexDatabase): boolean {
  if (!hasToSweep(database)) return false;
  return database.tidy(() => {
    const note = database.get('SELECT id, first_chunk, chunks, segment FROM unlisted WHERE version IS NULL LIMIT 1');
    if (note === undefined) return false;
    const { chunks } = note as { chunks: number };
    const from = (note['first_chunk'] as number | null) ?? 0;
    if (chunks > 0) {
      const some = Math.min(chunks, sweptRows);
      database.run('DELETE FROM chunk WHERE id >= ? AND id < ?', from, from + some);
      database.run('DELETE FROM vector WHERE chunk >= ? AND chunk < ?', from, from + some);
      database.run('UPDATE unlisted SET first_chunk = ?, chunks = ? WHERE id = ?', from + some, chunks - some, note['id']!);
    } else if (note['segment'] === null || !sweepBlocks(database, note['segment'] as number)) {
      database.run('DELETE FROM unlisted WHERE id = ?', note['id']!);
    }
    return true;
  });
}

function sweepBlocks(database: IndexDatabase, segment: number): boolean {
  const sql = 'DELETE FROM posting_block WHERE id IN (SELECT id FROM posting_block WHERE segment = ? LIMIT ?)';
  if (database.run(sql, segment, sweptBlocks).changes > 0) return true;
  return database.run('DELETE FROM word_block WHERE segment = ?', segment).changes > 0;
}

/** Finds the notes of dead processes; to be asked every few seconds. */
export function createDeadNotes(database: IndexDatabase): { look(): void } {
  let seen = new Map<number, { readonly moved: number; readonly looks: number }>();
  return {
    look() {
      const notes = database.all('SELECT id, moved FROM unlisted WHERE version IS NOT NULL') as { id: number; moved: number }[];
      const before = seen;
      seen = new Map(
        notes.map(({ id, moved }) => {
          const last = before.get(id);
          return [id, { moved, looks: last?.moved === moved ? last.looks + 1 : 0 }];
        }),
      );
      for (const [id, { moved, looks }] of seen)
        if (looks >= deadAfterLooks)
          database.tidy(() => database.run('UPDATE unlisted SET version = NULL WHERE id = ? AND moved = ?', id, moved));
    },
  };
}
