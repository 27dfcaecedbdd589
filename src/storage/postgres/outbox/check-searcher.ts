/** What a searcher has, held against what there is: both are read in the order of their numbers, side by side. */
import type { SearcherBacklog } from '../../../search/document-index.ts';
import type { FollowingSearcher } from '../../../search/following/following-searcher.ts';
import type { Database } from '../database.ts';
import type { Outbox } from './outbox.ts';

type Has = { readonly id: number; readonly chunks: number };

type Wrong = { readonly missing: number[]; readonly extra: number[] };
/** `last`: what was looked at ends there; null: there is no more. */
type Differences = { readonly last: number | null; readonly wrong: Wrong };

const atOnce = 5000;

/** As `DocumentIndex.checkSearcher`. Servers may work meanwhile: what differs is looked at once more, with what waits to be told. */
export async function checkSearcher(
  { database, searcher, outbox }: { database: Database; searcher: FollowingSearcher; outbox: Outbox },
  repair: boolean,
): Promise<{ missing: number; extra: number; backlog: SearcherBacklog }> {
  let [missing, extra] = [0, 0];
  /** Of one moment, as far as both lie in one database: a document may be told between two looks. */
  const differences = (after: number): Promise<Differences> =>
    database.snapshot(async () => {
      const had = await searcher.documents(after, atOnce);
      const last = had.length < atOnce ? null : had.at(-1)!.id;
      const there = await documentsBetween(database, after, last);
      return { last, wrong: await notWaiting(database, differing(there, had), differing(had, there)) };
    });
  for (let after = 0; ;) {
    const { last, wrong } = await differences(after);
    missing += wrong.missing.length;
    extra += wrong.extra.length;
    if (repair) await outbox.noteAgain([...wrong.missing, ...wrong.extra]);
    if (last === null) return { missing, extra, backlog: await outbox.backlog() };
    after = last;
  }
}

/** Numbers of `some` that `others` lack, or have with another count of chunks. */
function differing(some: readonly Has[], others: readonly Has[]): number[] {
  const chunksOf = new Map(others.map(({ id, chunks }) => [id, chunks]));
  return some.filter(({ id, chunks }) => chunksOf.get(id) !== chunks).map(({ id }) => id);
}

/** `to`: null for all that come after. */
async function documentsBetween(database: Database, after: number, to: number | null): Promise<Has[]> {
  const values = to === null ? [after] : [after, to];
  const sql = `SELECT id, chunks FROM document WHERE id > $1 ${to === null ? '' : 'AND id <= $2'} ORDER BY id`;
  return (await database.query(sql, values)) as Has[];
}

/** Those that are still so, and of which nothing waits to be told. */
async function notWaiting(database: Database, missing: readonly number[], extra: readonly number[]): Promise<Wrong> {
  const sql = `SELECT id, EXISTS (SELECT 1 FROM document WHERE document.id = asked.id) AS there FROM unnest($1::bigint[]) AS asked(id)
    WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.document = asked.id AND NOT refused)`;
  const rows = await database.query(sql, [[...missing, ...extra]]);
  const there = new Set(rows.filter((row) => row['there'] === true).map((row) => row['id']));
  const gone = new Set(rows.filter((row) => row['there'] === false).map((row) => row['id']));
  return { missing: missing.filter((id) => there.has(id)), extra: extra.filter((id) => gone.has(id)) };
}
