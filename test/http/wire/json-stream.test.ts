import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cutTexts, jsonStream, type LongText } from '../../../src/http/wire/json-stream.ts';

const long = '# 标题 "quoted" \\ back\n\u2028\0\u{1F600}\ufeff é'.repeat(50);

describe('[S68] JSON with long texts in it', () => {
  it('is what JSON.stringify makes of it whole, however the text is cut into pieces', async () => {
    for (const size of [1, 2, 3, 7, 64, 10_000]) {
      const shape = (one: unknown): object => ({ a: [{ text: one, page: 1 }, null, []], b: {}, c: 'x', d: { e: one } });
      expect(await text(jsonStream(shape(inPieces(long, size)))), `pieces of ${size} bytes`).toBe(JSON.stringify(shape(long)));
    }
  });

  it('opens a text when its turn comes, and closes it when the reader goes', async () => {
    const log: string[] = [];
    const endless = (name: string): LongText =>
      async function* () {
        log.push(`opens ${name}`);
        try {
          for (;;) yield 'x'.repeat(1000);
        } finally {
          log.push(`closes ${name}`);
        }
      };
    const stream = jsonStream([endless('first'), endless('second')]);
    for await (const piece of stream) if (String(piece).includes('x')) break;

    await expect.poll(() => log).toEqual(['opens first', 'closes first']);
  });

  it('cuts one text into parts by the offsets of its characters', async () => {
    const spans = [
      { start: 0, end: 5 },
      { start: 5, end: 6 },
      { start: 40, end: 900 },
      { start: 900, end: long.length + 50 },
    ];
    for (const size of [1, 5, 1000]) {
      const parts: string[] = [];
      for (const part of cutTexts(inPieces(long, size), spans)) parts.push(await text(part() as AsyncIterable<string> as never));
      expect(parts, `pieces of ${size} bytes`).toEqual(spans.map(({ start, end }) => long.slice(start, end)));
    }
  });
});

function inPieces(whole: string, size: number): LongText {
  const bytes = Buffer.from(whole);
  return async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
}
