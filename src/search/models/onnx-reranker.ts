/** A local ONNX cross-encoder through the optional package @huggingface/transformers, loaded only when it is set. */
import { resolve } from 'node:path';
import { DocumentError } from '../../errors.ts';
import type { Reranker } from './reranker.ts';

export type OnnxRerankerSettings = { readonly modelDir: string };

/** Pairs run through the model together. */
const batchTexts = 8;

/** @throws DocumentError `embedder_failed` when the package or the model is not there. */
export async function createOnnxReranker(settings: OnnxRerankerSettings): Promise<Reranker> {
  const { tokenizer, model } = await load(resolve(settings.modelDir));
  return {
    async rerank(query, texts, signal) {
      const scores: number[] = [];
      for (let from = 0; from < texts.length; from += batchTexts) {
        signal.throwIfAborted();
        const batch = texts.slice(from, from + batchTexts);
        const inputs = tokenizer(
          batch.map(() => query),
          { text_pair: batch, padding: true, truncation: true },
        ) as Record<string, unknown>;
        const { logits } = (await model(inputs)) as { logits: { data: Float32Array; dims: [number, number] } };
        // One logit is the relevance itself; of two, the second one speaks for "relevant".
        const columns = logits.dims[1];
        for (let row = 0; row < batch.length; row++) scores.push(logits.data[row * columns + columns - 1]!);
      }
      return scores;
    },
  };
}

async function load(modelDir: string) {
  try {
    const { AutoModelForSequenceClassification, AutoTokenizer, env } = await import('@huggingface/transformers');
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.localModelPath = '';
    const tokenizer = await AutoTokenizer.from_pretrained(modelDir, { local_files_only: true });
    const model = await AutoModelForSequenceClassification.from_pretrained(modelDir, {
      dtype: 'fp32',
      device: 'cpu',
      local_files_only: true,
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    });
    return { tokenizer, model };
  } catch (error) {
    throw new DocumentError('embedder_failed', 'The ONNX model in RERANK_MODEL_DIR cannot be loaded', { cause: error });
  }
}
