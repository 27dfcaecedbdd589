/**
 * Reads along what every process writes that is started from here on (its standard output and error, its children's with them), and what
 * loggers inside a test would write (`watchedLogger`), and keeps what shows a secret: one of those that its settings or the key file that they
 * name hold, or a text with the mark that tests put into theirs.
 */
import { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { readFileSync } from 'node:fs';
import { secretsIn } from '../../src/config.ts';
import { createLogger, type Logger } from '../../src/logger.ts';

/** Part of every secret that a test makes up: `${secretMark}-1`. */
export const secretMark = 'open-sesame';

/** What was shown so far: the line, its secret in it. */
export const leaks: string[] = [];

/** A secret may come in two pieces. */
const carryCharacters = 500;

type Spawn = (this: ChildProcess, options: { envPairs?: string[] }) => unknown;
const { spawn } = ChildProcess.prototype as unknown as { spawn: Spawn };

Object.assign(ChildProcess.prototype, {
  spawn(this: ChildProcess, options: { envPairs?: string[] }) {
    const result = spawn.call(this, options);
    const env = environment(options.envPairs ?? []);
    const set = secretsOf(env);
    const secrets = (): readonly string[] => [secretMark, ...set, ...secretsOf({ API_KEYS: keysIn(env['API_KEYS_FILE']) })];
    for (const stream of [this.stdout, this.stderr]) if (stream !== null && stream !== undefined) readAlong(stream, secrets);
    return result;
  },
});

function environment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

function secretsOf(env: Readonly<Record<string, string>>): readonly string[] {
  return secretsIn(env).filter((secret) => secret.length >= 4);
}

/** As they are now: keys come and go while a server runs. */
function keysIn(path: string | undefined): string {
  if (path === undefined || path === '') return '';
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    // A digest lets nobody in, and is printed for whoever keeps keys elsewhere.
    return lines.filter((line) => line.trim() !== '' && !line.startsWith('#') && !line.includes(':sha256:')).join(',');
  } catch {
    return '';
  }
}

/** A logger of the server's own, whose lines go nowhere but past the check. */
export function watchedLogger(secrets: readonly string[] = []): Logger {
  return createLogger({ level: 'debug', write: (line) => note(line, [secretMark, ...secrets]) });
}

function note(text: string, secrets: readonly string[]): void {
  leaks.push(...text.split('\n').filter((line) => secrets.some((secret) => line.includes(secret))));
}

/** Without a listener, which would set the stream going before its reader is there. */
function readAlong(stream: Readable, secrets: () => readonly string[]): void {
  const push = stream.push.bind(stream);
  let carry = '';
  stream.push = (chunk: Buffer | null, ...more) => {
    if (chunk !== null) {
      const text = carry + chunk.toString();
      note(text, secrets());
      carry = text.slice(-carryCharacters).replace(/^.*\n/s, '');
    }
    return push(chunk, ...more);
  };
}
