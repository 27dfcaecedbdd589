/**
 * One PostgreSQL for all files of a run, started by whoever needs it first: making a cluster takes longer than most of the tests on it.
 * Vitest's main process keeps it (`setup`), files ask for it (`sharedPostgres`).
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type Databases, databasesOn, type PostgresServer, startPostgres } from './postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the port of the shared server is answered. */
    readonly postgresKeeper: string;
  }
}

const host = '127.0.0.1';

/** Runs once before all files; what it returns runs after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<PostgresServer> | null = null;
  const keeper = createServer((_request, response) => {
    started ??= startPostgres();
    started.then(
      ({ port }) => response.end(String(port)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  keeper.listen(0, host);
  await once(keeper, 'listening');
  project.provide('postgresKeeper', `http://${host}:${(keeper.address() as AddressInfo).port}`);
  return async () => {
    keeper.close();
    await (await started)?.[Symbol.asyncDispose]();
  };
}

/** Databases on the server that all files share. No test may kill it or change its settings. Outside of a run: on one of its own. */
export async function sharedPostgres(): Promise<Databases> {
  if (process.env['VITEST'] === undefined) return startPostgres();
  const { inject } = await import('vitest');
  const answer = await fetch(inject('postgresKeeper'));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return databasesOn(host, Number(text));
}
