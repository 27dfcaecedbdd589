/** PostgreSQL inside the test's own process (PGlite), with the tables of the index: a second server, of another version, that needs no installing. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { PGlite, type Results, type Transaction, types } from '@electric-sql/pglite';
import type { Database, Row } from '../../src/storage/postgres/database.ts';
import { schemaName } from '../../src/storage/postgres/servers.ts';
import { migrate } from '../../src/storage/postgres/schema.ts';
import { silentLogger } from './engine-steps.ts';

/** As the driver of the product reads them. */
const options = { parsers: { [types.INT8]: Number } };

type Open = { readonly transaction: Transaction; readonly after: (() => void | Promise<void>)[] };

/** A new database in memory, with its tables but no jobs: it has one connection, and pg-boss wants its own. */
export async function openPglite(): Promise<Database> {
  const server = await PGlite.create();
  const current = new AsyncLocalStorage<Open>();

  async function ask(sql: string, values: readonly unknown[] = []): Promise<Results<Row>> {
    const connection = current.getStore()?.transaction ?? server;
    if (values.length > 0) return connection.query<Row>(sql, [...values], options);
    return (await connection.exec(sql, options)).at(-1) as Results<Row>;
  }

  async function transaction<T>(work: () => Promise<T>): Promise<T> {
    if (current.getStore() !== undefined) return work();
    const after: Open['after'] = [];
    const result = await server.transaction((begun) => current.run({ transaction: begun, after }, work));
    for (const then of after) await then();
    return result;
  }

  const database: Database = {
    lacksRoom: false,
    get isInside() {
      return current.getStore() !== undefined;
    },
    roomFound: () => undefined,
    query: async (sql, values) => (await ask(sql, values)).rows,
    run: async (sql, values) => (await ask(sql, values)).affectedRows ?? 0,
    transaction,
    snapshot: transaction,
    reading: transaction,
    standbys: () => [],
    once: (_name, work) => work(),
    apart: (work) => current.exit(work),
    // Nothing here is prepared outside of the database.
    afterRollback: () => undefined,
    async afterCommit(work) {
      const open = current.getStore();
      if (open === undefined) await work();
      else open.after.push(() => current.exit(work));
    },
    close: () => server.close(),
  };
  await server.exec(`SET search_path TO ${schemaName}`);
  await migrate({ ...database, apart: <T>() => Promise.resolve(undefined as T) }, silentLogger);
  return database;
}
