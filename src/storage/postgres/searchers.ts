/**
 * Who finds in a database: `migrate` notes it there, and every process follows what is noted, so no two of them can think otherwise. One that
 * was told something else does not start.
 */
import { AppError } from '../../errors.ts';
import type { Database } from './database.ts';
import { createFulltextSearcher, fulltextTables } from './fulltext-searcher.ts';
import type { FollowingFinderOptions } from './outbox/following-finder.ts';
import { createOutbox } from './outbox/outbox.ts';

/** `segments`: the index of our own, which follows nobody. */
export const searcherNames = ['segments', 'postgres-fulltext'] as const;
export type SearcherName = (typeof searcherNames)[number];

export type Follows = Pick<FollowingFinderOptions, 'searcher' | 'tables'>;

/** Who is noted. The table is as old as the first that follows. */
export async function notedSearcher(database: Database): Promise<SearcherName> {
  const [row] = await database.query('SELECT name FROM searcher');
  if (row === undefined) return 'segments';
  const name = searcherNames.find((known) => known === row['name']);
  if (name === undefined)
    throw new AppError(
      'unavailable',
      'SEARCHER: this database uses a searcher of a newer version of this program; start that version.',
    );
  return name;
}

/**
 * The searcher of this database; null for segments of our own. `wanted`: '' for whichever is noted.
 * @throws AppError `unavailable`: another one is wanted, saying what to do.
 */
export async function openSearcher(database: Database, wanted: SearcherName | ''): Promise<Follows | null> {
  const noted = await notedSearcher(database);
  if (wanted !== '' && wanted !== noted)
    throw new AppError('unavailable', `SEARCHER: this database uses ${noted}, not ${wanted}. Run "rag-intake migrate".`);
  return noted === 'segments' ? null : { searcher: createFulltextSearcher(database), tables: fulltextTables };
}

/**
 * Notes another one, in the caller's transaction, while no server works on the database, and has it filled with all documents: a searcher that
 * follows by the workers, segments by `rebuild`. Says what it did; null when that one was noted already.
 * @throws AppError `unavailable`: there are vectors, which a searcher that follows does not keep.
 */
export async function changeSearcher(
  database: Database,
  wanted: SearcherName | '',
  rebuild: () => Promise<number>,
): Promise<string | null> {
  const noted = await notedSearcher(database);
  if (wanted === '' || wanted === noted) return null;
  await database.run('DELETE FROM searcher');
  if (wanted === 'segments') {
    await database.query(`TRUNCATE outbox, ${fulltextTables.join(', ')}`);
    return `The index is in segments again, built from ${await rebuild()} documents.`;
  }
  if ((await database.query('SELECT 1 FROM vector_bits LIMIT 1')).length > 0)
    throw new AppError(
      'unavailable',
      `SEARCHER: ${wanted} searches by keyword only, but documents here have vectors. Run "rag-intake reindex" with EMBEDDER=builtin first.`,
    );
  await database.run('INSERT INTO searcher(name) VALUES ($1)', [wanted]);
  await database.query('DELETE FROM segment');
  await database.query('DELETE FROM removed');
  return `The searcher is now ${wanted}; workers fill it with ${await createOutbox(database).noteAll()} documents.`;
}
