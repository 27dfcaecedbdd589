import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createSlots } from '../../../src/http/access/slots.ts';
import { AnswerLines, answersBytes } from '../../../src/http/upload/answer-lines.ts';

const line = { detail: 'x'.repeat(1000) };

describe('[S69] answers line by line', () => {
  it('are kept for a client that reads only when it has sent everything, within what all may hold', async () => {
    const memory = createSlots({ perClientMax: 4 * answersBytes, max: 8 * answersBytes });
    const lines = new AnswerLines(memory, 'a');
    let written = 0;
    let full: Promise<void> | null = null;
    while (full === null) {
      const room = lines.write(line);
      written += 1;
      const isThere = await Promise.race([
        room.then(() => true),
        new Promise<false>((resolve) => setImmediate(() => resolve(false))),
      ]);
      if (!isThere) full = room;
    }
    expect(memory.size).toBe(4 * answersBytes);
    expect(written * 1000).toBeGreaterThan(4 * answersBytes);
    expect(written * 1000).toBeLessThan(6 * answersBytes);

    lines.stream.resume();
    await full;
    lines.end();
    await once(lines.stream, 'end');
    lines.release();
    expect(memory.size).toBe(0);
  });

  it('are not waited for when nobody is there to read them', async () => {
    const lines = new AnswerLines(createSlots({ perClientMax: 0, max: 0 }), 'a');
    const waits: Promise<void>[] = [];
    while (lines.stream.readableLength + lines.stream.writableLength <= answersBytes) waits.push(lines.write(line));
    waits.push(lines.write(line));
    lines.stream.destroy();

    await Promise.all(waits);
  });
});
