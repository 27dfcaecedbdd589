/** What one version of a searchable document consists of. */

/** A part, by the name of its file. */
export type DocumentPart = 'original' | 'content.md' | 'chunks.ndjson' | 'vectors.bin' | 'pages.ndjson' | 'meta.json';

/** Parts that a version may be whole without. */
export const optionalParts = ['vectors.bin', 'pages.ndjson'] as const satisfies readonly DocumentPart[];
