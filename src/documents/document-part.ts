/** What one version of a searchable document consists of. */

/** A part, by the name of its file. */
export type DocumentPart = 'original' | 'content.md' | 'chunks.ndjson' | 'vectors.bin' | 'pages.ndjson' | 'meta.json';

/** Parts that a version may be whole without. */
export const optionalParts = ['vectors.bin', 'pages.ndjson'] as const satisfies readonly DocumentPart[];

/** All of them, `meta.json` last, as an attempt writes it: what is copied in this order is whole once that is there. */
export const everyPart: readonly DocumentPart[] = [
  'original',
  'content.md',
  'chunks.ndjson',
  'vectors.bin',
  'pages.ndjson',
  'meta.json',
];
