/** The log: JSON lines by pino, text on a terminal. Passed in everywhere; there is no global one. */
import { pino } from 'pino';
import { createRedaction, type Redact } from './redaction.ts';

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
  /** What no line may show, wherever it came from (`secretsIn`). */
  readonly secrets?: readonly string[];
};

/**
 * A logger on standard output. Callers log names, ids, sizes and times; of an error only what `describeError` lists is written, since
 * libraries hang on theirs what they were doing, passwords included. What was set as a secret is hidden in every line all the same.
 */
export function createLogger(options: LogOptions): Logger {
  const { level, base = {}, terminal = false, write = standardOutput(), secrets = [] } = options;
  const redact = createRedaction(secrets);
  const shown = (line: string): string => visible(terminal ? asText(line, redact) : redactLine(line, redact));
  const describe = (value: unknown): unknown => describeError(value, redact);
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describe },
      formatters: {
        log: (fields) =>
          Object.fromEntries(
            Object.entries(fields).map(([key, value]) => [key, value instanceof Error && key !== 'err' ? describe(value) : value]),
          ),
      },
    },
    { write: (line) => write(shown(line)) },
  );
}

/** Of an error, all that a log may hold. */
export type ErrorDescription = {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: ErrorDescription | string;
  readonly errors?: readonly (ErrorDescription | string)[];
};

const messageCharactersMax = 2000;
const stackCharactersMax = 8000;
const causesMax = 4;
const errorsMax = 4;

/** An error by an allow-list, causes and the members of an AggregateError too, each cut to a length. A text stays one; anything else is only named. */
export function describeError(error: unknown, redact: Redact, depth = 0): ErrorDescription | string {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error).slice(0, messageCharactersMax) : kindOf(error);
  const { name, message, stack, cause } = error;
  const inner = (one: unknown): ErrorDescription | string => describeError(one, redact, depth + 1);
  const goesOn = depth < causesMax;
  return {
    type: String(name).slice(0, 100),
    message: redact(String(message)).slice(0, messageCharactersMax),
    ...codeOf(error, redact),
    ...(typeof stack === 'string' ? { stack: redact(stack).slice(0, stackCharactersMax) } : {}),
    ...(cause === undefined || !goesOn ? {} : { cause: inner(cause) }),
    ...(error instanceof AggregateError && goesOn ? { errors: error.errors.slice(0, errorsMax).map(inner) } : {}),
  };
}

function codeOf(error: Error, redact: Redact): { code?: string | number } {
  if (!('code' in error)) return {};
  if (typeof error.code === 'string') return { code: redact(error.code).slice(0, 100) };
  return typeof error.code === 'number' ? { code: error.code } : {};
}

function kindOf(value: unknown): string {
  return `a thrown ${value === null ? 'null' : typeof value}`;
}

/** The line itself when it shows nothing, as nearly all do. */
function redactLine(line: string, redact: Redact): string {
  return redact(line) === line ? line : `${JSON.stringify(JSON.parse(line), (_key, value: unknown) => redacted(value, redact))}\n`;
}

function redacted(value: unknown, redact: Redact): unknown {
  return typeof value === 'string' ? redact(value) : value;
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
function asText(line: string, redact: Redact): string {
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
  return redact(
    `${time.slice(11, 19)} ${name.padEnd(5)} ${role === undefined ? '' : `${role as string}: `}${msg as string}${values.join('')}${stack}\n`,
  );
}
