/**
 * Names that one process at a time holds, whichever host it is on: its row shows that it lives, by the database's own clock.
 * What a dead process held is free after `holdMs`. A holder that was frozen may believe for a moment that it still holds: what
 * rests on this must be harmless when done twice.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';

export interface Hold {
  /** Aborts when another process may have taken the name. */
  readonly lost: AbortSignal;
  /** Lets go; never rejects. */
  release(): Promise<void>;
}

export interface AdvisoryLocks {
  /** Null while another process holds the name. */
  take(name: string): Promise<Hold | null>;
}

/** How long a hold outlives its process. */
const holdMs = 10_000;

export function createAdvisoryLocks(database: Database): AdvisoryLocks {
  return {
    async take(name) {
      const holder = randomUUID();
      const sql = `INSERT INTO hold(name, holder) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, seen_at = clock_timestamp()
          WHERE hold.seen_at < clock_timestamp() - $3 * interval '1 ms'`;
      if ((await database.run(sql, [name, holder, holdMs])) === 0) return null;
      return keepAlive(database, name, holder);
    },
  };
}

/** Shows itself four times as often as it must. */
function keepAlive(database: Database, name: string, holder: string): Hold {
  const lost = new AbortController();
  let shownAt = performance.now();
  const timer = setInterval(() => void show(), holdMs / 4);

  async function show(): Promise<void> {
    const askedAt = performance.now();
    const sql = 'UPDATE hold SET seen_at = clock_timestamp() WHERE name = $1 AND holder = $2';
    const held = await database.run(sql, [name, holder]).then(
      (rows) => rows === 1,
      () => null,
    );
    if (held === true) shownAt = askedAt;
    else if (held === false || performance.now() - shownAt > holdMs) end();
  }

  function end(): void {
    clearInterval(timer);
    lost.abort('lost');
  }

  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      // What cannot be removed now is free when its time is over.
      await database.run('DELETE FROM hold WHERE name = $1 AND holder = $2', [name, holder]).catch(() => undefined);
    },
  };
}
