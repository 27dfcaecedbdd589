/** Collections as rows: what is said of each, and whether it is being removed. */
import { bareCollection, type Collection, readCollection } from '../../documents/collection.ts';
import type { CollectionStore } from '../collection-store.ts';
import type { Database } from './database.ts';

export function createPostgresCollectionStore(database: Database): CollectionStore {
  const kept = async (): Promise<{ name: string; collection: Collection | null }[]> =>
    (await database.query('SELECT name, record FROM collection WHERE NOT removing ORDER BY name')).map((row) => {
      const name = row['name'] as string;
      return { name, collection: readCollection(name, row['record'] as string) };
    });
  return {
    all: async () => (await kept()).map(({ name, collection }) => collection ?? bareCollection(name)),
    damaged: async () => (await kept()).filter(({ collection }) => collection === null).map(({ name }) => name),
    async get(name) {
      const [row] = await database.query('SELECT record FROM collection WHERE name = $1 AND NOT removing', [name]);
      return row === undefined ? null : (readCollection(name, row['record'] as string) ?? bareCollection(name));
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
