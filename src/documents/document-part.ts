/** What one version of a searchable document consists of. */

/** A part, by the name of its file. */
export type DocumentPart = 'original' | 'content.md' | 'chunks.ndjson' | 'vectors.bin' | 'meta.json';
