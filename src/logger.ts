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

export type LogOptions = {
  readonly level: LogLevel;
  /** In every line. */
  readonly base?: Record<string, unknown>;
  /** Whether a person reads along: text instead of JSON. */
  readonly terminal?: boolean;
  /** Takes whole lines; standard output unless told. */
  readonly write?: (line: string) => void;
};

/** A logger on standard output. Secrets never get here: callers log names, ids, sizes and times only. */
export function createLogger({ level, base = {}, terminal = false, write = standardOutput() }: LogOptions): Logger {
  const shown = (line: string): string => visible(terminal ? asText(line) : line);
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, { write: (line) => write(shown(line)) });
}

/** Synchronous, so that the last line before an end is not lost. */
function standardOutput(): (line: string) => void {
  const output = pino.destination({ fd: 1, sync: true });
  return (line) => void output.write(line);
}

/** Without what a terminal or a log viewer would obey. JSON itself escapes none of it but the C0 controls. */
function visible(line: string): string {
  return line.replace(
    /(?![\t\n])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `06:41:52 warn   sentence  name=value …`, and the stack of an error below. */
function asText(line: string): string {
  const {
    level,
    time,
    msg,
    pid: _pid,
    role,
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown> & {
    time: string;
    err?: { stack?: string };
  };
  const values = Object.entries(fields).map(([name, value]) => `  ${name}=${JSON.stringify(value)}`);
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  const name = pino.levels.labels[level as number] ?? '';
  return `${time.slice(11, 19)} ${name.padEnd(5)} ${role === undefined ? '' : `${role as string}: `}${msg as string}${values.join('')}${stack}\n`;
}
