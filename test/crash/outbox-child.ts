/**
 * A process that decides about documents of its own, tells the searcher what is in the outbox, and asks: for tests that kill it, or stop it, at
 * a step of the outbox. Its first argument is an order as JSON. Prints a line for each decision once it has returned.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { AppError } from '../../src/errors.ts';
import type { FollowingSearcher } from '../../src/search/following/following-searcher.ts';
import { type Database, openDatabase } from '../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../src/storage/postgres/index/postgres-index.ts';
import { nextOrdinal } from '../../src/storage/postgres/ordinals.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { stageDocument } from '../support/staged-document.ts';

export const outboxSteps = [
  'before the row is written',
  'after the commit, before the nudge',
  'before the searcher is told',
  'while the searcher is told',
  'after the searcher was told, before the row is removed',
  'when the row is removed, before the commit',
  'before the searcher is cleared',
  'after the searcher was cleared',
] as const;
export type OutboxStep = (typeof outboxSteps)[number];

export type OutboxOrder = {
  readonly url: string;
  readonly folder: string;
  readonly name: string;
  /**
   * `writer`: decides, tells and looks, as a worker. `teller`: the same, but for decisions. `asker`: as a front end, which tells the searcher where
   * nobody else does.
   */
  readonly role: 'writer' | 'teller' | 'asker';
  /** Where it dies, at which visit of that step, and by which signal; null: nowhere. */
  readonly at: { readonly step: OutboxStep; readonly visit: number; readonly signal: 'SIGKILL' | 'SIGSTOP' } | null;
};

/** A transaction that is left alone for so long is undone by the server. */
const idleMs = 1500;
const question = { query: 'heron', mode: 'keyword', topK: 1, offset: 0, filter: {} } as const;

if (import.meta.main) await run(JSON.parse(process.argv[2]!) as OutboxOrder);

async function run(order: OutboxOrder): Promise<void> {
  const { url, name, role } = order;
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: idleMs, logger: silentLogger });
  const visited = visitor(order.at);
  const index = createPostgresIndex({
    database: riggedDatabase(database, visited),
    embedder: createBuiltinEmbedder(),
    merges: role !== 'asker',
    logger: silentLogger,
    follows: { searcher: riggedSearcher(createFulltextSearcher(database), visited), tables: fulltextTables },
  });
  const versionOf = (n: number): TaskId => `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;

  async function replace(docId: string): Promise<void> {
    const n = await nextOrdinal(database);
    // All that there is is to fit on one page.
    const chunks = docId.includes('passing') ? 1 : 1 + (n % 4);
    const dir = join(order.folder, `staged-${process.pid}`);
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir);
    const texts = Array.from({ length: chunks }, (_, i) => `heron 苍鹭 of ${docId} v${n} part ${i} of ${chunks} chunks`);
    const document = await stageDocument(dir, { docId, version: versionOf(n), texts });
    if ((await index.replace(document, dir)) === 'ok') process.stdout.write(`there ${docId} ${versionOf(n)}\n`);
  }

  /** Where the server has ended a transaction of it meanwhile, it goes on with the next. */
  for (let round = 0; ; round += 1)
    await (role === 'writer' ? decide(round) : index.search(question)).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
    });

  async function decide(round: number): Promise<void> {
    await replace(`${name}-${round % 3}`);
    if (round % 4 !== 0) return;
    const passing = `${name}-passing-${process.pid}-${round}`;
    await replace(passing);
    await index.remove(passing, await nextOrdinal(database));
    process.stdout.write(`gone ${passing}\n`);
  }
}

type Visited = (step: OutboxStep) => void;

function visitor(at: OutboxOrder['at']): Visited {
  let visits = 0;
  return (step) => {
    if (at === null || step !== at.step) return;
    visits += 1;
    if (visits !== at.visit) return;
    process.stdout.write(`at ${step}\n`);
    process.kill(process.pid, at.signal);
  };
}

function riggedDatabase(database: Database, visited: Visited): Database {
  return Object.create(database, {
    run: {
      value: async (sql: string, values?: readonly unknown[]) => {
        if (sql.startsWith('INSERT INTO outbox')) visited('before the row is written');
        const rows = await database.run(sql, values);
        if (sql.startsWith('DELETE FROM outbox')) visited('when the row is removed, before the commit');
        return rows;
      },
    },
    afterCommit: {
      value: (work: () => void | Promise<void>) =>
        database.afterCommit(() => {
          visited('after the commit, before the nudge');
          return work();
        }),
    },
  }) as Database;
}

function riggedSearcher(searcher: FollowingSearcher, visited: Visited): FollowingSearcher {
  return {
    ...searcher,
    async apply(turn, changes) {
      visited('before the searcher is told');
      const watched = changes.map((change) => {
        if (change.is === 'gone') return change;
        const { document } = change;
        async function* read(): ReturnType<typeof document.read> & AsyncGenerator {
          yield* document.read();
          visited('while the searcher is told');
        }
        return { ...change, document: { ...document, read } };
      });
      await searcher.apply(turn, watched).catch((error: unknown) => {
        process.stdout.write('refused\n');
        throw error;
      });
      visited('after the searcher was told, before the row is removed');
    },
    async clear(turn) {
      visited('before the searcher is cleared');
      await searcher.clear(turn);
      visited('after the searcher was cleared');
    },
  };
}
