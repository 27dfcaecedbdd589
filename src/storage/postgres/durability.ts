import type { Database } from './database.ts';

/** What a server must be set to for what it has confirmed to outlive a crash; `local` gives up the standby only. */
const durable: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_apply', 'remote_write', 'local'],
};

/**
 * The server's settings, as seen by this user in this database, that may lose acknowledged documents in a crash: `name = value` each,
 * none when all is well. One statement. https://www.postgresql.org/docs/current/runtime-config-wal.html
 */
export async function unsafeSettings(database: Database): Promise<string[]> {
  const names = Object.keys(durable);
  const rows = await database.query('SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name', [names]);
  return rows
    .map((row) => ({ name: String(row['name']), value: String(row['setting']) }))
    .filter(({ name, value }) => !durable[name]!.includes(value))
    .map(({ name, value }) => `${name} = ${value}`);
}
