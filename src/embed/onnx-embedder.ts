/**
 * Vectors from a local ONNX model (a folder as on the Hugging Face hub: `config.json`, `tokenizer.json`, `onnx/model.onnx`)
 * through the optional package @huggingface/transformers, loaded only when this embedder is set. Nothing is downloaded.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DocumentError } from '../errors.ts';
import type { Embedder } from './embedder.ts';
import { toUnitLength } from './unit-length.ts';

export type OnnxEmbedderSettings = {
  readonly modelDir: string;
  readonly pooling: 'mean' | 'cls';
  readonly queryPrefix: string;
  readonly passagePrefix: string;
  /** Threads that each hold a model of their own; the processors are shared out among them. */
  readonly threads: number;
};

/** Texts run through the model together: larger batches gain nothing on a processor and cost memory. */
const batchTexts = 16;

/** @throws DocumentError `embedder_failed` when the package or the model is not there or does not work. */
export async function createOnnxEmbedder(settings: OnnxEmbedderSettings): Promise<Embedder> {
  const modelDir = resolve(settings.modelDir);
  const extract = await loadExtractor(modelDir, settings.threads);
  const run = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const output = await extract([...texts], { pooling: settings.pooling });
    const [rows, width] = output.dims as [number, number];
    const values = output.data as Float32Array;
    return Array.from({ length: rows }, (_, row) => unitVector(values.slice(row * width, (row + 1) * width)));
  };
  const dimensions = (await run(['dimensions']))[0]!.length;
  return {
    id: `onnx:${basename(modelDir)}:${await fingerprint(join(modelDir, 'onnx', 'model.onnx'))}`,
    dimensions,
    async embed(texts, as, signal) {
      const prefix = as === 'query' ? settings.queryPrefix : settings.passagePrefix;
      const vectors: Float32Array[] = [];
      for (let from = 0; from < texts.length; from += batchTexts) {
        signal?.throwIfAborted();
        vectors.push(...(await run(texts.slice(from, from + batchTexts).map((text) => prefix + text))));
      }
      return vectors;
    },
  };
}

async function loadExtractor(modelDir: string, threads: number) {
  try {
    const { env, pipeline } = await import('@huggingface/transformers');
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.localModelPath = '';
    return await pipeline('feature-extraction', modelDir, {
      dtype: 'fp32',
      device: 'cpu',
      local_files_only: true,
      session_options: { intraOpNumThreads: Math.max(1, Math.floor(availableParallelism() / threads)), interOpNumThreads: 1 },
    });
  } catch (error) {
    throw new DocumentError('embedder_failed', 'The ONNX model in EMBEDDER_MODEL_DIR cannot be loaded', { cause: error });
  }
}

function unitVector(vector: Float32Array): Float32Array {
  const unit = toUnitLength(vector);
  if (unit === null)
    throw new DocumentError('embedder_failed', 'The ONNX model returned a vector that is not numeric or is all zero');
  return unit;
}

/** Tells two models of one name apart: the size and the first mebibyte of the file. */
async function fingerprint(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, 1024 * 1024));
    await file.read(head, 0, head.length, 0);
    return createHash('sha256').update(String(size)).update(head).digest('hex').slice(0, 12);
  } finally {
    await file.close();
  }
}
