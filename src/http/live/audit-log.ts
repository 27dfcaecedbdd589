/**
 * Who did what, one JSON line each, for whoever must be able to say so later. Each line is appended by its own opening of the file, so
 * that logrotate may move it away at any time; the text of a question is in it only where the settings say so.
 */
import { appendFile } from 'node:fs/promises';
import type { Logger } from '../../logger.ts';

export type AuditEvent =
  | { readonly event: 'search' | 'answer'; readonly collections: readonly string[]; readonly hits: number; readonly query: string }
  | { readonly event: 'insert'; readonly collection: string; readonly docId: string; readonly taskId: string }
  | { readonly event: 'delete'; readonly collection: string; readonly docId: string | null; readonly documents: number | null }
  | { readonly event: 'delete_collection' | 'change_collection'; readonly collection: string }
  | { readonly event: 'create_key' | 'revoke_key'; readonly name: string }
  | { readonly event: 'login'; readonly refused: boolean }
  | { readonly event: 'keys_changed'; readonly added: readonly string[]; readonly removed: readonly string[] };

/** Who it was: the name of a key, and where the request came from. Null where there was none. */
export type AuditActor = { readonly key: string | null; readonly address: string | null; readonly requestId: string | null };

export interface AuditLog {
  /** Returns at once; lines are written in order. Where the file refuses, the log says so. */
  write(actor: AuditActor, event: AuditEvent): void;
  /** When all lines are written. */
  close(): Promise<void>;
}

/** Lines that wait to be written; what comes beyond is counted in the log. */
const waitingMax = 10_000;

export function createAuditLog(options: {
  readonly path: string;
  /** Whether the text of questions is kept. */
  readonly withText: boolean;
  /** ISO 8601. */
  readonly now: () => string;
  readonly logger: Logger;
}): AuditLog {
  const { path, withText, now, logger } = options;
  let waiting: string[] = [];
  let dropped = 0;
  let writing: Promise<void> | null = null;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      try {
        await appendFile(path, lines.join(''), { mode: 0o640 });
      } catch (error) {
        dropped += lines.length;
        logger.error({ err: error, lines: dropped }, 'lines of the audit log could not be written');
      }
    }
  }

  return {
    write({ key, address, requestId }, event) {
      if (waiting.length >= waitingMax) {
        dropped += 1;
        return logger.error({ lines: dropped }, 'lines of the audit log could not be written');
      }
      const { query, ...rest } = 'query' in event ? event : { ...event, query: undefined };
      const said = withText && query !== undefined ? { query } : {};
      waiting.push(`${JSON.stringify({ time: now(), key, address, request_id: requestId, ...wireNames(rest), ...said })}\n`);
      writing ??= flush().finally(() => (writing = null));
    },
    async close() {
      while (writing !== null) await writing;
    },
  };
}

/** No audit log is kept. */
export const noAudit: AuditLog = { write: () => {}, close: () => Promise.resolve() };

function wireNames(fields: object): object {
  const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snake(name), value as unknown]));
}
