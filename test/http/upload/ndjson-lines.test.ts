import { describe, expect, it } from 'vitest';
import { ndjsonLines } from '../../../src/http/upload/ndjson-lines.ts';

async function read(text: string | Buffer, { pieceBytes = 3, bytesMax = 64 } = {}) {
  const bytes = Buffer.from(text as string);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const lines = [];
  for await (const line of ndjsonLines(pieces(), bytesMax)) lines.push(line);
  return lines;
}

describe('the lines of an NDJSON body', () => {
  it('end at line feeds alone, wherever the pieces end, and whatever else some reader takes for an end of line', async () => {
    const texts = ['{"a":"\u2028\u2029\u0085"}', '{"b":"\v\f"}', '"离心泵"'];

    for (const pieceBytes of [1, 2, 5, 100])
      expect((await read(texts.join('\n'), { pieceBytes })).map(({ text }) => text)).toEqual(texts);
  });

  it('are told of when they are empty, but for what follows the last line feed', async () => {
    expect(await read('1\n\n \r\n2\n ')).toMatchObject([
      { number: 1, text: '1' },
      { number: 2, problem: 'empty' },
      { number: 3, problem: 'empty' },
      { number: 4, text: '2' },
    ]);
  });

  it('that are too long or not UTF-8 are told of, and the next ones read', async () => {
    const bytes = Buffer.concat([Buffer.from(`${'x'.repeat(65)}\n`), Buffer.from([0xff, 0x0a]), Buffer.from('last')]);

    expect(await read(bytes)).toMatchObject([{ problem: 'too_long' }, { problem: 'not_utf8' }, { number: 3, text: 'last' }]);
  });
});
