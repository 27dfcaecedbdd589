/** Uploads a hostile file to a server that runs, and a plain one behind it. */
import { hostileBinaryFiles } from './hostile-binary.ts';
import type { HostileFile } from './hostile-file.ts';
import { hostileOfdFiles } from './hostile-ofd.ts';
import { hostileOfficeFiles } from './hostile-office.ts';
import { hostilePdfFiles } from './hostile-pdf.ts';
import { hostileTextFiles } from './hostile-text.ts';
import { hostileWrappedFiles } from './hostile-wrapped.ts';
import { hostileXpsFiles } from './hostile-xps.ts';
import { ended, insert, type TestServer, type WireTask } from './server.ts';

/** All of them. `canary` is an address that must never be asked for. */
export function hostileFiles(canary: string): HostileFile[] {
  return [
    ...hostilePdfFiles(),
    ...hostileOfficeFiles(canary),
    ...hostileOfdFiles(),
    ...hostileXpsFiles(),
    ...hostileTextFiles(),
    ...hostileBinaryFiles(),
    ...hostileWrappedFiles(),
  ];
}

/** `read`, or `code: sentence`, as the task or the refusal of the upload has it. */
export async function upload(server: TestServer, name: string, bytes: Uint8Array | string): Promise<string> {
  const response = await insert(server.url, name, { name, bytes }, { prefer: 'respond-async' });
  const body = (await response.json()) as WireTask & { code?: string; detail?: string };
  if (response.status !== 202) return `${body.code}: ${body.detail}`;
  const task = await ended(server.url, body.task_id, 120_000);
  return task.status === 'completed' ? 'read' : `${task.error_code}: ${task.error}`;
}

export type HealthWatch = {
  /** Stops asking, and tells how often it asked, how often in vain, and the longest answer in milliseconds. */
  stop(): Promise<{ readonly asked: number; readonly failed: number; readonly longestMs: number }>;
};

/** Asks GET /health again and again, each time as soon as `pauseMs` after the last answer. */
export function watchHealth(server: TestServer, pauseMs = 50): HealthWatch {
  const seen = { asked: 0, failed: 0, longestMs: 0 };
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      const begun = performance.now();
      const isWell = await fetch(`${server.url}/health`, { signal: AbortSignal.timeout(5000) }).then(
        ({ status }) => status === 200,
        () => false,
      );
      seen.asked++;
      if (!isWell) seen.failed++;
      seen.longestMs = Math.max(seen.longestMs, performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const watched = watch();
  return {
    async stop() {
      watching = false;
      await watched;
      return seen;
    },
  };
}
