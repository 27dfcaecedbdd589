import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecords } from '../src/records.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-intake-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function recordsOf(text: string | Buffer, bytesMax?: number): Promise<string[]> {
  const path = join(folder, 'records.ndjson');
  await writeFile(path, text);
  const records: string[] = [];
  for await (const record of readRecords(createReadStream(path), bytesMax)) records.push(record);
  return records;
}

describe('records', () => {
  it('end at line feeds and at no other character that some reader takes for the end of a line', async () => {
    const odd = '\r \v \f \u001c \u001d \u001e \u0085 \u2028 \u2029 \0 é 😀';

    expect(await recordsOf(`${odd}\n\n${odd}\r\nlast`)).toEqual([odd, `${odd}\r`, 'last']);
  });

  it('come whole however large they are, and wherever the file is cut while it is read', async () => {
    const large = '报告'.repeat(100_000);

    expect(await recordsOf(`${large}\n${large}x\n`)).toEqual([large, `${large}x`]);
  });

  it('are refused above their size, before the rest is read', async () => {
    await expect(recordsOf('x'.repeat(300_000), 100_000)).rejects.toThrow('a record of more than 100000 bytes');
  });
});
