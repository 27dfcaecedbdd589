/** The log: JSON lines by pino, text on a terminal. Passed in everywhere; there is no global one. */
import { pino } from 'pino';

export interface Logger {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
  child(fields: Record<string, unknown>): Logger;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger on standard output. Secrets never get here: callers log names, ids, sizes and times only. */
export function createLogger(options: { level: LogLevel; base?: Record<string, unknown> }): Logger {
  return pino({ level: options.level, base: options.base ?? {}, timestamp: pino.stdTimeFunctions.isoTime });
}
