import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { loadConfig } from '../../src/config.ts';
import { createEmbedder } from '../../src/embed/create-embedder.ts';
import { runPipeline } from '../../src/ingest/pipeline.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { measureParts, readStagedMeta } from '../../src/search/index/staging.ts';
import { newId } from '../support/engine-steps.ts';
import { tempDir } from '../support/temp-dir.ts';
import { undescribed } from '../../src/tasks/given.ts';

const text = 'The warranty of the pump lasts 24 months. 水泵的保修期为二十四个月。\n'.repeat(20);

/** Reads one text as a thread does; answers with the folder of what was made of it. */
async function read(dir: string, run: string): Promise<string> {
  const config = loadConfig({});
  const scratchDir = join(dir, run);
  const payloadPath = join(dir, `${run}.bin`);
  await mkdir(scratchDir);
  await writeFile(payloadPath, text);
  const { port1, port2 } = new MessageChannel();
  const outcome = await runPipeline(
    {
      taskId: newId(),
      ordinal: 1,
      docId: run,
      filename: `${run}.txt`,
      fileBytes: Buffer.byteLength(text),
      sha256: 'a'.repeat(64),
      declaredMediaType: 'text/plain',
      ...undescribed,
      insertedAt: '2026-01-01T00:00:00.000Z',
      payloadPath,
      scratchDir,
      port: port2,
    },
    {
      parser: createDocumentParser({ ocr: null }),
      toChunks: (document, { chunkTokensMax }) => splitDocument(document, { tokensMax: chunkTokensMax, overlap: 0 }),
      embedder: await createEmbedder({ kind: 'builtin' }),
      reading: { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: [] },
    },
  );
  port1.close();
  expect(outcome).toMatchObject({ ok: true });
  return scratchDir;
}

describe('a small document in a thread', () => {
  it('takes memory by what it weighs', async () => {
    await using dir = await tempDir();
    await read(dir.path, 'first');
    const taken: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      const before = process.memoryUsage().arrayBuffers;
      await read(dir.path, `run-${run}`);
      taken.push(process.memoryUsage().arrayBuffers - before);
    }

    // A collection in between gives back what was taken before it.
    expect(Math.max(...taken)).toBeLessThan(1024 * 1024);
  });

  it('is described by what was written of it', async () => {
    await using dir = await tempDir();
    const folder = await read(dir.path, 'described');

    expect((await readStagedMeta(folder)).parts).toEqual(await measureParts(folder));
  });
});
