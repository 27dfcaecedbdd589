import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../../src/storage/postgres/database.ts';
import { notifySql, openListenConnection, type Signal } from '../../../src/storage/postgres/listen-connection.ts';
import { createSignals } from '../../../src/storage/postgres/signals.ts';
import { openServers } from '../../../src/storage/postgres/servers.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { until } from '../../support/until.ts';

let server: Databases;

beforeAll(async () => {
  server = await sharedPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A database, what is heard there, and how many statements told it. */
async function open(refusals = 0) {
  const url = await server.newDatabase();
  const servers = await openServers(url, silentLogger);
  const database = await openDatabase({ url, connectionsMax: 2, idleInTransactionMs: 0, logger: silentLogger });
  const heard: Signal[] = [];
  const onSignal = (signal: Signal): void => void heard.push(signal);
  const listening = await openListenConnection({ servers, logger: silentLogger, onSignal, onConnect() {} });
  onTestFinished(async () => {
    await listening.close();
    await database.close();
  });
  let told = 0;
  const counted: Database = {
    ...database,
    query(sql, values) {
      if (refusals-- > 0) return Promise.reject(new Error('the server is away'));
      told += 1;
      return database.query(sql, values);
    },
  };
  return { database, signals: createSignals(counted), heard, told: () => told };
}

it('what a transaction tells is heard when it is committed, in one message, and not at all when it is undone', async () => {
  const { database, signals, heard, told } = await open();
  await database.transaction(async () => {
    await signals.send({ kind: 'job', id: 'a' }, { kind: 'cancel', id: 'b' });
    await signals.send({ kind: 'end', id: 'c', record: '{"text":"of two\\nlines, 中文"}' });
    expect(heard).toEqual([]);
  });
  await database
    .transaction(async () => {
      await signals.send({ kind: 'job', id: 'undone' });
      throw new Error('undone');
    })
    .catch(() => undefined);
  await signals.send({ kind: 'missed' });
  await until('the last one is heard', () => heard.some(({ kind }) => kind === 'missed'));

  expect(heard.slice(0, 3)).toEqual([
    { kind: 'job', id: 'a' },
    { kind: 'cancel', id: 'b' },
    { kind: 'end', id: 'c', record: '{"text":"of two\\nlines, 中文"}' },
  ]);
  expect(heard.some((signal) => 'id' in signal && signal.id === 'undone')).toBe(false);
  expect(told()).toBeLessThanOrEqual(2);
});

it('what the server does not take is told again until it does', async () => {
  const { signals, heard } = await open(2);
  await signals.send({ kind: 'end', id: 'late' });
  await until('it is heard', () => heard.length > 0);

  expect(heard).toEqual([{ kind: 'end', id: 'late' }]);
});

it('a change is not told by itself when its task ends soon, and the end has the record unless that is long', async () => {
  const { signals, heard } = await open();
  await signals.send({ kind: 'step', id: 'short' });
  await signals.send({ kind: 'end', id: 'short', record: '{}' });
  await signals.send({ kind: 'end', id: 'long', record: JSON.stringify('文'.repeat(3000)) });
  await until('both ends are heard', () => heard.length >= 2);

  expect(heard).toEqual([
    { kind: 'end', id: 'short', record: '{}' },
    { kind: 'end', id: 'long' },
  ]);
});

it('a change whose task goes on is told after a moment, and on the close at the latest', async () => {
  const { signals, heard } = await open();
  await signals.send({ kind: 'step', id: 'running' });
  await until('it is heard', () => heard.length > 0);
  await signals.send({ kind: 'step', id: 'left' });
  await signals.close();
  await until('the other one is', () => heard.length > 1);

  expect(heard).toEqual([
    { kind: 'step', id: 'running' },
    { kind: 'step', id: 'left' },
  ]);
});

it('what a version before this one says of a change may be the last one', async () => {
  const { database, heard } = await open();
  await database.query(notifySql, [['task 0190a0b0-0000-7000-8000-000000000001', 'job']]);
  await until('both are heard', () => heard.length === 2);

  expect(heard).toEqual([{ kind: 'end', id: '0190a0b0-0000-7000-8000-000000000001' }, { kind: 'job' }]);
});
