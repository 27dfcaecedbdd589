/** A collection: documents of one purpose, with settings, statistics and readers of their own. Pure data. */

/** How a collection's documents are cut and searched. Null: as the server's settings have it. */
export type CollectionSettings = {
  /** Most tokens of a chunk. */
  readonly chunkTokens: number | null;
  /** Tokens that a chunk repeats of the one before it; 0 for none. */
  readonly chunkOverlap: number | null;
  /** ISO 639-1: the language of documents that do not show theirs. */
  readonly language: string | null;
  /** Groups of words that mean the same in queries. */
  readonly synonyms: readonly (readonly string[])[];
};

export type Collection = {
  readonly name: string;
  readonly title: string | null;
  readonly description: string | null;
  /** ISO 8601. Of `default`, which is always there, null until somebody has changed it. */
  readonly createdAt: string | null;
  readonly settings: CollectionSettings;
  /**
   * Its settings have changed, and its documents are being read again by them: all up to this doc_id are ('' for none yet). Null: all
   * are as the settings say.
   */
  readonly rereadUpTo: string | null;
};

/** What of the settings the reading of a document depends on: where it changes, documents are read again. */
export type CollectionReading = Pick<CollectionSettings, 'chunkTokens' | 'chunkOverlap' | 'language'>;

export function isReadOtherwise(before: CollectionReading, after: CollectionReading): boolean {
  const same = before.chunkTokens === after.chunkTokens && before.language === after.language;
  return !same || (before.chunkOverlap ?? 0) !== (after.chunkOverlap ?? 0);
}

export const defaultSettings: CollectionSettings = { chunkTokens: null, chunkOverlap: null, language: null, synonyms: [] };

/** One of which nothing is said. */
export function bareCollection(name: string): Collection {
  return { name, title: null, description: null, createdAt: null, settings: defaultSettings, rereadUpTo: null };
}

/** The record of the collection `name` as it was kept; null when it is damaged. */
export function readCollection(name: string, text: string): Collection | null {
  const kept = parsed(text);
  if (!isObject(kept) || !isObject(kept['settings'])) return null;
  const collection = { ...bareCollection(name), ...kept, settings: { ...defaultSettings, ...kept['settings'] } } as Collection;
  return isWhole(collection) && collection.name === name ? collection : null;
}

function isWhole({ title, description, createdAt, settings, rereadUpTo }: Collection): boolean {
  const { chunkTokens, chunkOverlap, language, synonyms } = settings;
  const texts = [title, description, createdAt, rereadUpTo, language];
  return (
    texts.every((text) => text === null || typeof text === 'string') &&
    [chunkTokens, chunkOverlap].every((tokens) => tokens === null || (Number.isInteger(tokens) && tokens >= 0)) &&
    Array.isArray(synonyms) &&
    synonyms.every((group) => Array.isArray(group) && group.every((word) => typeof word === 'string'))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
