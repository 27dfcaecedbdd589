/** Collections as rows: what is said of each, and whether it is being removed. */
import { type Collection, readCollection } from '../../documents/collection.ts';
import type { CollectionStore } from '../collection-store.ts';
import type { Database } from './database.ts';

export function createPostgresCollectionStore(database: Database): CollectionStore {
  const read = (rows: readonly { readonly [column: string]: unknown }[]): Collection[] =>
    rows.map((row) => readCollection(row['record'] as string));
  return {
    async all() {
      return read(await database.query('SELECT record FROM collection WHERE NOT removing ORDER BY name'));
    },
    async get(name) {
      return read(await database.query('SELECT record FROM collection WHERE name = $1 AND NOT removing', [name]))[0] ?? null;
    },
    async put(collection) {
      const sql = `INSERT INTO collection(name, record) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET record = excluded.record WHERE NOT collection.removing`;
      return (await database.run(sql, [collection.name, JSON.stringify(collection)])) > 0;
    },
    async beginRemoval(name) {
      return (await database.run('UPDATE collection SET removing = true WHERE name = $1', [name])) > 0;
    },
    async removals() {
      return (await database.query('SELECT name FROM collection WHERE removing')).map((row) => row['name'] as string);
    },
    async endRemoval(name) {
      await database.run('DELETE FROM collection WHERE name = $1 AND removing', [name]);
    },
  };
}
