/** Chooses the embedder by settings. Called once in every thread that embeds, so the settings are plain data. */
import { DocumentError } from '../errors.ts';
import { createBuiltinEmbedder } from './builtin-embedder.ts';
import type { Embedder } from './embedder.ts';
import { createOnnxEmbedder, type OnnxEmbedderSettings } from './onnx-embedder.ts';
import { createOpenAiEmbedder, type OpenAiEmbedderSettings } from './openai-embedder.ts';

export const embedderKinds = ['builtin', 'onnx', 'openai'] as const;

/** Plain data: passes between threads. */
export type EmbedderSettings =
  | { readonly kind: 'builtin' }
  | ({ readonly kind: 'onnx' } & OnnxEmbedderSettings)
  | ({ readonly kind: 'openai' } & OpenAiEmbedderSettings);

/** @throws DocumentError `embedder_failed` when a local model cannot be loaded. A service is not asked before the first text. */
export async function createEmbedder(settings: EmbedderSettings): Promise<Embedder> {
  switch (settings.kind) {
    case 'builtin':
      return createBuiltinEmbedder();
    case 'onnx':
      return createOnnxEmbedder(settings);
    case 'openai':
      return createOpenAiEmbedder(settings);
  }
}

/** The settings that matter here, as `config.ts` names them. */
export type EmbedderConfig = {
  readonly embedder: (typeof embedderKinds)[number];
  readonly embedderModelDir: string;
  readonly embedderPooling: 'mean' | 'cls';
  readonly embedderQueryPrefix: string;
  readonly embedderPassagePrefix: string;
  readonly embeddingsUrl: string;
  readonly embeddingsModel: string;
  readonly embeddingsKey: string;
  readonly embeddingsDimensions: number;
  readonly embeddingsTimeoutMs: number;
  readonly threads: number;
};

/** The chosen embedder's settings. @throws DocumentError `embedder_failed` naming the setting that is missing. */
export function embedderSettings(config: EmbedderConfig): EmbedderSettings {
  const prefixes = { queryPrefix: config.embedderQueryPrefix, passagePrefix: config.embedderPassagePrefix };
  switch (config.embedder) {
    case 'builtin':
      return { kind: 'builtin' };
    case 'onnx':
      demand(config.embedderModelDir !== '', 'EMBEDDER=onnx needs EMBEDDER_MODEL_DIR');
      return {
        kind: 'onnx',
        modelDir: config.embedderModelDir,
        pooling: config.embedderPooling,
        threads: config.threads,
        ...prefixes,
      };
    case 'openai':
      demand(URL.canParse(config.embeddingsUrl), 'EMBEDDER=openai needs EMBEDDINGS_URL, e.g. http://127.0.0.1:11434/v1/embeddings');
      demand(config.embeddingsModel !== '', 'EMBEDDER=openai needs EMBEDDINGS_MODEL');
      demand(
        config.embeddingsDimensions > 0,
        'EMBEDDER=openai needs EMBEDDINGS_DIMENSIONS, the length of the vectors of the model',
      );
      return {
        kind: 'openai',
        url: config.embeddingsUrl,
        key: config.embeddingsKey,
        model: config.embeddingsModel,
        dimensions: config.embeddingsDimensions,
        timeoutMs: config.embeddingsTimeoutMs,
        ...prefixes,
      };
  }
}

function demand(condition: boolean, sentence: string): void {
  if (!condition) throw new DocumentError('embedder_failed', sentence);
}
