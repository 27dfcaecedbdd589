/** Standbys answer questions, but only while they have all that was committed when the question came. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { examine } from '../../../src/cli/doctor.ts';
import { settleDocument } from '../../../src/ingest/settle.ts';
import { type Database, openDatabase } from '../../../src/storage/postgres/database.ts';
import { openPostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { type CuttableLink, openCuttableLink } from '../../support/cuttable-link.ts';
import { beginNext, silentLogger, upload } from '../../support/engine-steps.ts';
import { postgresEngineOptions } from '../../support/postgres-harness.ts';
import { freePlace, type PostgresNode, startPrimary, startStandby, urlOf } from '../../support/replicated-postgres.ts';
import { makeDataDir, removeDir } from '../../support/server.ts';
import { stageDocument } from '../../support/staged-document.ts';
import { until } from '../../support/until.ts';

let primary: PostgresNode;
let standby: PostgresNode;
let link: CuttableLink;
let readUrls: readonly string[];

beforeAll(async () => {
  primary = await startPrimary(await freePlace(), false);
  standby = await startStandby(primary, await freePlace(), false);
  link = await openCuttableLink(standby.place.port);
  readUrls = [urlOf([{ address: '127.0.0.1', port: link.port }])];
});
afterAll(async () => {
  for (const each of [link, standby, primary]) await each[Symbol.asyncDispose]();
});

/** Writes a number, then reads it: what was read, and whether a standby said it. */
async function writeAndRead(database: Database, n: number): Promise<{ read: unknown; byStandby: unknown }> {
  await database.run(`INSERT INTO secret(name, value) VALUES ($1, '')`, [`n${n}`]);
  const [row] = await database.reading(() =>
    database.query('SELECT count(*)::integer AS read, pg_is_in_recovery() AS "byStandby" FROM secret WHERE name = $1', [`n${n}`]),
  );
  return row as { read: unknown; byStandby: unknown };
}

it('what was written is read, by a standby that is near and by the primary while none is', async () => {
  const options = { url: urlOf([primary.place]), connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger };
  const database = await openDatabase({ ...options, readUrls });
  onTestFinished(() => database.close());
  let n = 0;
  const next = (): Promise<{ read: unknown; byStandby: unknown }> => writeAndRead(database, (n += 1));
  /** Whoever answers, it was written before. */
  const untilBy = (byStandby: boolean): Promise<void> =>
    until(`answered ${byStandby ? 'by a standby' : 'by the primary'}`, async () => {
      const answer = await next();
      expect(answer.read).toBe(1);
      return answer.byStandby === byStandby;
    });
  const isAsked = (): boolean => database.standbys()[0]!.asked;

  await untilBy(true);
  expect(database.standbys()).toMatchObject([{ name: `127.0.0.1:${link.port}`, asked: true }]);

  await standby.ask('SELECT pg_wal_replay_pause()');
  expect(await next()).toEqual({ read: 1, byStandby: false });
  await until('it is known to be behind', async () => (await next()).read === 1 && (database.standbys()[0]!.lagMs ?? 0) > 1000);
  await standby.ask('SELECT pg_wal_replay_resume()');
  await untilBy(true);

  link.freeze();
  expect(await next()).toEqual({ read: 1, byStandby: false });
  await until('it is known to be away', () => !isAsked());
  link.mend();
  await untilBy(true);

  link.cut();
  await untilBy(false);
  link.mend();
  await untilBy(true);
});

/** Asks until a standby has answered the first half of a question and is silent from then on: what became of the second half, and of the question. */
async function askSilenced(database: Database, onSilence = (): void => undefined): Promise<{ met: unknown; answer: unknown }> {
  let isSilent = false;
  let met: unknown;
  let answer: unknown;
  const isByStandby = async (): Promise<unknown> => (await database.query('SELECT pg_is_in_recovery() AS is'))[0]!['is'];
  const inHalves = async (): Promise<unknown[]> => {
    const first = await isByStandby();
    if (first === true) {
      link.freeze();
      isSilent = true;
      onSilence();
    }
    const second = await isByStandby().catch((error: unknown) => {
      met = error;
      throw error;
    });
    return [first, second];
  };
  await until('a standby fell silent', async () => {
    answer = await database.reading(inHalves).catch(() => 'none');
    return isSilent;
  });
  return { met, answer };
}

/** One connection, so that who looks at the standby would have none where it asked for one of those that questions have. */
async function openFew(): Promise<Database> {
  const url = urlOf([primary.place]);
  onTestFinished(() => link.mend());
  return openDatabase({ url, readUrls, connectionsMax: 1, idleInTransactionMs: 0, logger: silentLogger });
}

/** Not 'Query read timeout', which comes after a minute. */
const ended = { cause: { message: 'Connection terminated unexpectedly' } };

it('a question that a standby falls silent upon is answered by the primary when that is noticed, not when its time is over', async () => {
  const database = await openFew();
  onTestFinished(() => database.close());

  expect(await askSilenced(database)).toMatchObject({ met: ended, answer: [false, false] });
  expect(database.standbys()).toMatchObject([{ lagMs: null, asked: false }]);

  link.mend();
  await until('it is asked again', () => database.standbys()[0]!.asked);
});

it('closing waits for no standby that is silent', async () => {
  const database = await openFew();
  const closing: Promise<void>[] = [];

  const { met } = await askSilenced(database, () => void closing.push(database.close()));
  expect(met).toMatchObject(ended);
  await Promise.all(closing);
});

it('a document that is said to be searchable is found, and a standby finds it', async () => {
  const dir = await makeDataDir();
  const url = urlOf([primary.place]);
  const worker = await openPostgresEngine(postgresEngineOptions(url, 'worker', `${dir}/worker`));
  const front = await openPostgresEngine({ ...postgresEngineOptions(url, 'frontend', `${dir}/front`), readUrls });
  onTestFinished(async () => {
    await front.close();
    await worker.close();
    await removeDir(dir);
  });
  const scans = async (): Promise<number> =>
    Number((await standby.ask(`SELECT sum(seq_scan + idx_scan) AS n FROM pg_stat_user_tables WHERE relname = 'segment'`))[0]!['n']);
  await until('a standby is asked', () => front.standbys!().some(({ asked }) => asked));
  const before = await scans();

  for (const docId of ['heron', 'otter', 'kingfisher']) {
    const task = await upload(front, docId, { docId });
    const { lease } = await beginNext(worker);
    const scratchDir = await worker.files.scratch(task.id);
    const document = await stageDocument(scratchDir, { docId, version: task.id, texts: [`a ${docId} in the reeds`] });
    await settleDocument(worker, lease, { ...task, attempts: 1 }, { scratchDir, document });

    const { hits } = await front.index.search({ query: docId, mode: 'keyword', topK: 5, offset: 0, filter: {} });
    expect(hits.map((hit) => hit.docId)).toEqual([docId]);
  }
  await until('the standby has counted', async () => (await scans()) > before);
});

it('the doctor says how far a standby is behind, and what is none', async () => {
  const dir = await makeDataDir();
  onTestFinished(() => removeDir(dir));
  const nowhere = await freePlace();
  const checks = await examine(
    {
      DATA_DIR: dir,
      DATABASE_URL: urlOf([primary.place]),
      DATABASE_READ_URL: urlOf([standby.place, primary.place, nowhere]),
    },
    dir,
  );
  expect(checks.filter(({ name }) => name === 'standby').map(({ state, sentence }) => [state, sentence])).toEqual([
    ['ok', expect.stringMatching(/^The standby 127.0.0.1:\d+ answers, [\d.]+ K?B of log behind\.$/)],
    ['warning', expect.stringContaining('is not a standby and is not used')],
    ['warning', expect.stringContaining('ECONNREFUSED')],
  ]);
});
