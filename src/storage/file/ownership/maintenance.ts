/**
 * What must happen by itself: recovery of dead owners and the polls under the watchers in every process, twice a second;
 * expiry, seals, scrub and sweeps in the one that holds `maintenance.lock`. All of it is idempotent: two leaders do no harm.
 */
import { lock } from 'proper-lockfile';
import type { Logger } from '../../../logger.ts';
import type { Layout } from '../disk/layout.ts';

export type MaintenanceJobs = {
  /** Every turn, in every process. */
  readonly turn: () => Promise<void>;
  /** Once when a process becomes leader: what a reboot may have left. */
  readonly lead: () => Promise<void>;
  /** Every minute by the leader. */
  readonly minutely: () => Promise<void>;
  /** Every hour by the leader, and when it becomes leader. */
  readonly hourly: () => Promise<void>;
};

export interface Maintenance {
  start(): void;
  stop(): Promise<void>;
}

export const turnMs = 500;
const leadEveryMs = 1000;
const minuteMs = 60_000;
export const hourMs = 3_600_000;

export function createMaintenance(options: {
  layout: Layout;
  leaseMs: number;
  jobs: MaintenanceJobs;
  logger: Logger;
}): Maintenance {
  const { layout, leaseMs, jobs, logger } = options;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let turning: Promise<void> = Promise.resolve();
  let leading: Promise<void> = Promise.resolve();
  let releaseLead: (() => Promise<void>) | null = null;
  let triedAt = -Infinity;
  let minuteAt = -Infinity;
  let hourAt = -Infinity;

  async function attempt(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!stopped) logger.warn({ err: error, job: name }, 'maintenance failed; it continues in a moment');
    }
  }

  async function turn(): Promise<void> {
    await attempt('turn', jobs.turn);
    const now = performance.now();
    if (releaseLead === null && now - triedAt >= leadEveryMs) {
      triedAt = now;
      await tryToLead();
    }
  }

  async function tryToLead(): Promise<void> {
    try {
      releaseLead = await lock(layout.maintenance, {
        realpath: false,
        stale: leaseMs,
        update: leaseMs / 4,
        onCompromised: () => (releaseLead = null),
      });
    } catch {
      // Somebody else leads, or the disk is in trouble.
      return;
    }
    leading = leading.then(() => attempt('lead', jobs.lead));
  }

  /** Beside the turns: a long expiry must not hold up recovery. */
  function lead(): void {
    const now = performance.now();
    if (now - minuteAt >= minuteMs) {
      minuteAt = now;
      leading = leading.then(() => (stopped ? undefined : attempt('minutely', jobs.minutely)));
    }
    if (now - hourAt >= hourMs) {
      hourAt = now;
      leading = leading.then(() => (stopped ? undefined : attempt('hourly', jobs.hourly)));
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      turning = turn().then(() => {
        if (releaseLead !== null) lead();
        if (!stopped) schedule();
      });
    }, turnMs);
  }

  return {
    start: schedule,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await turning;
      if (timer !== null) clearTimeout(timer);
      await leading;
      await releaseLead?.().catch(() => undefined);
    },
  };
}
