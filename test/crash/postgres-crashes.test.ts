/** The crashes of the PostgreSQL engine in miniature; `npm run torture -- --only postgres` has them all. */
import { expect, it } from 'vitest';
import { startPostgres } from '../support/postgres.ts';
import { showFigures } from './figures.ts';
import { killWorkersAndServer } from './postgres-crashes.ts';

it('no task on PostgreSQL is lost or done twice when workers die at each step of settling, and the server under them', async () => {
  await using server = await startPostgres({ durable: true });
  const seed = Date.now() % 1_000_000;
  const figures = await killWorkersAndServer(server, { tasks: 20, kills: 5, restarts: 1, seed });
  expect(showFigures(figures), `seed ${seed}`).toBe(true);
});
