/** Chooses the embedder by settings. Called once in every thread that embeds, so the settings are plain data. */
import { createBuiltinEmbedder } from './builtin-embedder.ts';
import type { Embedder } from './embedder.ts';

/** Plain data: passes between threads. */
export type EmbedderSettings = { readonly kind: 'builtin' };

/** @throws DocumentError `embedder_failed` when the model or service cannot be used. */
export function createEmbedder(settings: EmbedderSettings): Promise<Embedder> {
  switch (settings.kind) {
    case 'builtin':
      return Promise.resolve(createBuiltinEmbedder());
  }
}

/** What the settings say, as plain data. */
export function embedderSettings(_config: object): EmbedderSettings {
  return { kind: 'builtin' };
}
