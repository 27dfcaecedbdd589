/**
 * What a document writes into PostgreSQL's log, with its files in the database and with them in an object store:
 * `npm run bench -- wal [DOCUMENTS of each size]`, 25 by default. Bytes, not times: the store is the one of the tests.
 */
import { objectCredentials, startObjectServer } from '../support/object-server.ts';
import { ask, startPostgres } from '../support/postgres.ts';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { createText } from './made-text.ts';

const sizes = [2, 20, 100];
/** Until each table has its first pages, and each page has been written whole after the checkpoint. */
const before = 5;

export const bench: Bench = {
  title: 'bytes of WAL a document, its files in the database and in an object store',
  argsAmongAll: ['5'],
  async run([documents = '25']) {
    // What the server does by itself now and then (statistics, vacuum) would count for whoever comes in just then.
    await using postgres = await startPostgres({ durable: true, settings: { autovacuum: 'off' } });
    await using objects = await startObjectServer();
    const credentials = {
      AWS_ACCESS_KEY_ID: objectCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objectCredentials.secretAccessKey,
    };
    const rows: Row[] = [];
    for (const kib of sizes) {
      const order = { kib, documents: Number(documents) };
      const alone = await walOf(await postgres.newDatabase(), {}, order);
      const stored = { FILES_URL: objects.filesUrl(`wal${kib}`), ...credentials };
      const beside = await walOf(await postgres.newDatabase(), stored, order);
      const ratio = Math.round((100 * beside) / alone) / 100;
      rows.push({ KiB: kib, 'in the database': alone, 'in the store': beside, ratio, limit: 0.5 });
    }
    return rows;
  },
};

async function walOf(url: string, env: Record<string, string>, order: { kib: number; documents: number }): Promise<number> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, engineEnv: { DATABASE_URL: url, ...env }, env: { LOG_LEVEL: 'error' } });
  const made = createText(7);
  const put = async (docId: string): Promise<void> => {
    const text = made.words(Math.round((order.kib * 1024) / 7));
    const answer = await insert(server.url, docId, { name: 'a.txt', bytes: text });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  };
  for (let at = 0; at < before; at += 1) await put(`first ${at}`);
  await ask(url, 'CHECKPOINT');
  for (let at = 0; at < before; at += 1) await put(`second ${at}`);
  const start = await written(url);
  for (let at = 0; at < order.documents; at += 1) await put(`counted ${at}`);
  const bytes = (await written(url)) - start;
  await server.stop();
  await removeDir(dataDir);
  return Math.round(bytes / order.documents);
}

async function written(url: string): Promise<number> {
  const [row] = await ask(url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes");
  return Number(row!['bytes']);
}
