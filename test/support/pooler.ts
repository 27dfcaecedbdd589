/** A PgBouncer before a PostgreSQL, which gives a connection for one transaction at a time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { ask, nobody } from './postgres.ts';
import { until } from './until.ts';

export type Pooler = AsyncDisposable & {
  /** The address of a database by way of it. */
  through(databaseUrl: string): string;
};

/** `connections`: so many to the server for each database and user. */
export async function startPooler(databaseUrl: string, connections: number): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-pooler-'));
  const server = new URL(databaseUrl);
  const port = await freePort();
  const users = join(folder, 'users');
  const settings = join(folder, 'settings');
  writeFileSync(users, `"${server.username}" ""\n`);
  const lines = [
    '[databases]',
    `* = host=${server.hostname} port=${server.port}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${users}`,
    'pool_mode = transaction',
    `default_pool_size = ${connections}`,
  ];
  writeFileSync(settings, `${lines.join('\n')}\n`);
  const isRoot = process.getuid?.() === 0;
  for (const path of isRoot ? [folder, users, settings] : []) chownSync(path, nobody, nobody);
  chmodSync(folder, 0o700);
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin`;
  const pooler = spawn('pgbouncer', [settings], {
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, PATH: path },
  });
  await once(pooler, 'spawn');
  const through = (url: string): string => Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  await until('the pooler answers', () => ask(through(databaseUrl), 'SELECT 1').then(Boolean));
  return {
    through,
    async [Symbol.asyncDispose]() {
      const ended = once(pooler, 'exit');
      pooler.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
