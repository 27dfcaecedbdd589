/**
 * Reads along what every process writes that is started from here on (its standard output and error, its children's with them), and
 * keeps what shows a secret: one of those that its settings named, or a text with the mark that tests put into theirs.
 */
import { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { secretsIn } from '../../src/config.ts';

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
    const secrets = [secretMark, ...secretsOf(options.envPairs ?? [])];
    for (const stream of [this.stdout, this.stderr]) if (stream !== null && stream !== undefined) readAlong(stream, secrets);
    return result;
  },
});

function secretsOf(pairs: readonly string[]): readonly string[] {
  const env = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  return secretsIn(env).filter((secret) => secret.length >= 4);
}

/** Without a listener, which would set the stream going before its reader is there. */
function readAlong(stream: Readable, secrets: readonly string[]): void {
  const push = stream.push.bind(stream);
  let carry = '';
  stream.push = (chunk: Buffer | null, ...more) => {
    if (chunk !== null) {
      const text = carry + chunk.toString();
      leaks.push(...text.split('\n').filter((line) => secrets.some((secret) => line.includes(secret))));
      carry = text.slice(-carryCharacters).replace(/^.*\n/s, '');
    }
    return push(chunk, ...more);
  };
}
