/**
 * The lines that answer a body line by line. Many clients read nothing before they have sent everything, so answers are kept until they do:
 * some bytes of each request, and beyond them what all together may hold. Where that is used up, no more is taken of a request before its client has read.
 */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Slots } from '../access/slots.ts';

/** Bytes that each request may leave unread, and that it takes of the others at once. */
export const answersBytes = 256 * 1024;
export const keptAnswers = { perClientMax: 64 * 1024 * 1024, max: 256 * 1024 * 1024 };

/** Of one request. `memory`: bytes of all of them. */
export class AnswerLines {
  readonly stream = new PassThrough();
  readonly #memory: Slots;
  readonly #caller: string;
  readonly #releases: (() => void)[] = [];

  constructor(memory: Slots, caller: string) {
    this.#memory = memory;
    this.#caller = caller;
  }

  /** Resolves when there is room for more, or nobody to read it. */
  async write(answer: object): Promise<void> {
    const { stream } = this;
    stream.write(`${JSON.stringify(answer)}\n`);
    const unread = stream.readableLength + stream.writableLength;
    if (unread <= answersBytes * (1 + this.#releases.length)) return;
    const release = this.#memory.take(this.#caller, answersBytes);
    if (release !== null) this.#releases.push(release);
    else if (!stream.destroyed) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  }

  end(): void {
    this.stream.end();
  }

  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}
