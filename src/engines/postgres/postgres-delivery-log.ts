/** Webhook deliveries in the database, one row each; whichever front end holds their name sends them. */
import { type Delivery, isDeliveryId } from '../../webhooks/delivery.ts';
import type { DeliveryLog } from '../../webhooks/delivery-log.ts';
import type { Database, Row } from './database.ts';
import type { Holds } from './holds.ts';

export function createPostgresDeliveryLog(database: Database, holds: Holds): DeliveryLog {
  return {
    async add(delivery) {
      const sql = 'INSERT INTO delivery(id, state, record, ended_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING';
      return (await database.run(sql, columnsOf(delivery))) === 1 ? 'added' : 'exists';
    },
    async update(delivery) {
      await database.run('UPDATE delivery SET state = $2, record = $3, ended_at = $4 WHERE id = $1', columnsOf(delivery));
    },
    async get(id) {
      if (!isDeliveryId(id)) return null;
      const [row] = await database.query('SELECT record FROM delivery WHERE id = $1', [id]);
      return row === undefined ? null : toDelivery(row);
    },
    async waiting() {
      const rows = await database.query(`SELECT id FROM delivery WHERE state = 'waiting'`);
      return rows.map((row) => row['id'] as string);
    },
    async list({ state, limit }) {
      // Ids begin with the task's, which grow with time.
      const sql = 'SELECT record FROM delivery WHERE $1::text IS NULL OR state = $1 ORDER BY id DESC LIMIT $2';
      return (await database.query(sql, [state ?? null, limit])).map(toDelivery);
    },
    prune: (before) => database.run('DELETE FROM delivery WHERE ended_at < $1', [before]),
    async lead() {
      const hold = await holds.take('webhooks');
      return hold === null ? null : { lost: hold.lost, resign: () => hold.release() };
    },
  };
}

function columnsOf(delivery: Delivery): readonly unknown[] {
  const { id, state, attempts, createdAt } = delivery;
  const endedAt = state === 'waiting' ? null : (attempts.at(-1)?.at ?? createdAt);
  return [id, state, JSON.stringify(delivery), endedAt];
}

function toDelivery(row: Row): Delivery {
  return JSON.parse(row['record'] as string) as Delivery;
}
