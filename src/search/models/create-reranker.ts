/** Chooses the reranker by settings. Called once in every thread that searches, so the settings are plain data. */
import { createHttpReranker, type HttpRerankerSettings } from './http-reranker.ts';
import { createOnnxReranker, type OnnxRerankerSettings } from './onnx-reranker.ts';
import type { Reranker } from './reranker.ts';

/** Plain data: passes between threads. Null: hits stay as the index ranks them. */
export type RerankerSettings =
  | ({ readonly kind: 'http' } & HttpRerankerSettings)
  | ({ readonly kind: 'onnx' } & OnnxRerankerSettings)
  | null;

/** The reranker that the settings name. Loads a local model; does not contact a service. */
export async function createReranker(settings: RerankerSettings): Promise<Reranker | null> {
  if (settings === null) return null;
  return settings.kind === 'http' ? createHttpReranker(settings) : createOnnxReranker(settings);
}

/** The settings that matter here, as `config.ts` names them. */
export type RerankerConfig = {
  readonly rerankUrl: string;
  readonly rerankModel: string;
  readonly rerankKey: string;
  readonly rerankModelDir: string;
  readonly embeddingsTimeoutMs: number;
};

/** A service goes before a local model; null when neither is set. */
export function rerankerSettings(config: RerankerConfig): RerankerSettings {
  if (config.rerankUrl !== '') {
    return {
      kind: 'http',
      url: config.rerankUrl,
      model: config.rerankModel,
      key: config.rerankKey,
      timeoutMs: config.embeddingsTimeoutMs,
    };
  }
  return config.rerankModelDir === '' ? null : { kind: 'onnx', modelDir: config.rerankModelDir };
}
