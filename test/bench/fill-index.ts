/** Files into an index as uploads would get there, one after the other, without a server: parsed, chunked, embedded and indexed. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { splitDocument } from '../../src/chunk/splitter.ts';
import type { Config } from '../../src/config.ts';
import type { Embedder } from '../../src/embed/embedder.ts';
import { runPipeline } from '../../src/ingest/pipeline.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import type { SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { undescribed } from '../../src/tasks/given.ts';

export type EvaluatedFile = { readonly docId: string; readonly filename: string; readonly bytes: string | Uint8Array };

/** `work`: a folder to stage in. Files that are refused are passed to `onRefused` with the sentence. */
export async function fillIndex(
  files: Iterable<EvaluatedFile>,
  parts: { readonly work: string; readonly config: Config; readonly embedder: Embedder; readonly index: SqliteIndex },
  onRefused: (docId: string, message: string) => void = (docId, message) => console.error(`${docId}: ${message}`),
): Promise<void> {
  const parser = createDocumentParser({});
  let i = 0;
  for (const { docId, filename, bytes } of files) {
    const scratchDir = join(parts.work, 'scratch');
    const payloadPath = join(parts.work, 'payload');
    await mkdir(scratchDir);
    await writeFile(payloadPath, bytes);
    const { port1, port2 } = new MessageChannel();
    port2.unref();
    const job = {
      taskId: `0190a0b0-0000-7000-8000-${String(i).padStart(12, '0')}` as TaskId,
      ordinal: 0,
      docId,
      filename,
      fileBytes: Buffer.byteLength(bytes),
      sha256: '0'.repeat(64),
      declaredMediaType: null,
      ...undescribed,
      insertedAt: new Date(Date.UTC(2026, 0, 1) + i).toISOString(),
      payloadPath,
      scratchDir,
      port: port1,
    };
    const outcome = await runPipeline(job, {
      parser,
      toChunks: (document) => splitDocument(document, { tokensMax: parts.config.chunkTokens }),
      embedder: parts.embedder,
      reading: { limits: parts.config, chunkTokensMax: parts.config.chunkTokens, ocrLanguages: [] },
    });
    if (outcome.ok) await parts.index.replace(outcome.document, scratchDir);
    else onRefused(docId, outcome.message);
    await rm(scratchDir, { recursive: true });
    if (i++ % 64 === 0) while (parts.index.tidy());
  }
}
