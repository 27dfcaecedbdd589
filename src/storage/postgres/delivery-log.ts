/** Webhook deliveries in the database, one row each; whichever front end holds their name sends them. */
import { type Delivery, isDeliveryId } from '../delivery.ts';
import type { DeliveryLog } from '../delivery-log.ts';
import type { Database, Row } from './database.ts';
import type { AdvisoryLocks } from './advisory-locks.ts';

const endedSql = `CASE WHEN $2 <> 'waiting' THEN clock_timestamp() END`;

export function createPostgresDeliveryLog(database: Database, locks: AdvisoryLocks): DeliveryLog {
  return {
    async add(delivery) {
      const sql = `INSERT INTO delivery(id, state, record, ended_at) VALUES ($1, $2, $3, ${endedSql}) ON CONFLICT DO NOTHING`;
      return (await database.run(sql, columnsOf(delivery))) === 1 ? 'added' : 'exists';
    },
    async update(delivery) {
      await database.run(`UPDATE delivery SET state = $2, record = $3, ended_at = ${endedSql} WHERE id = $1`, columnsOf(delivery));
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
    async prune(maxMs) {
      // The server's own clock may have been ahead.
      await database.run('UPDATE delivery SET ended_at = clock_timestamp() WHERE ended_at > clock_timestamp()');
      return database.run(`DELETE FROM delivery WHERE ended_at < clock_timestamp() - $1 * interval '1 ms'`, [maxMs]);
    },
    async lead() {
      const hold = await locks.take('webhooks');
      return hold === null ? null : { lost: hold.lost, resign: () => hold.release() };
    },
  };
}

function columnsOf(delivery: Delivery): readonly unknown[] {
  return [delivery.id, delivery.state, JSON.stringify(delivery)];
}

function toDelivery(row: Row): Delivery {
  return JSON.parse(row['record'] as string) as Delivery;
}
