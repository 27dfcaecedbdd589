/**
 * The one grammar of filters: what a document says of itself (`$filename`, `$pages` …) and what its client said of it. Evaluated here
 * and nowhere else, so that a filter means the same on every engine. Pure.
 *
 * Types are compared strictly: 2024 is not "2024", and what is of another type, or not there, matches nothing but `exists: false`
 * and what a `not` turns round. Names and texts compare in Unicode's composed form (NFC), texts by UTF-16 unit.
 */
import type { Metadata, MetadataScalar } from '../tasks/given.ts';

export const comparisons = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'contains', 'exists', 'prefix'] as const;
export type Comparison = (typeof comparisons)[number];
export const connectives = ['and', 'or', 'not'] as const;

/** What interfaces of others ask of texts beside; no client of ours writes these. */
export type TextComparison = 'includes' | 'ends';

export type LeafFilter = {
  readonly type: Comparison | TextComparison;
  /** A member of the metadata, or one of `documentFields` behind a `$`. */
  readonly key: string;
  /** A list for `in` and `nin`. */
  readonly value: MetadataScalar | readonly MetadataScalar[];
};
export type Filter =
  | LeafFilter
  /** `not`: none of them matches. */
  | { readonly type: (typeof connectives)[number]; readonly filters: readonly Filter[] };

/** How deep connectives may lie in one another, and comparisons in all. */
export const filterLevelsMax = 3;
export const filterLeavesMax = 64;

/** What every document has or may have of itself. */
export const documentFields = ['doc_id', 'filename', 'media_type', 'inserted_at', 'pages', 'file_size', 'language'] as const;
type DocumentField = (typeof documentFields)[number];

/** A document as a filter sees it; null where it has no such field. */
export type Filterable = Readonly<Record<DocumentField, string | number | null>> & { readonly metadata: Metadata | null };

/** A filter made ready to be asked of many documents. */
export type Matcher = (document: Filterable) => boolean;

export function matcherOf(filter: Filter): Matcher {
  if ('filters' in filter) {
    const inner = filter.filters.map(matcherOf);
    switch (filter.type) {
      case 'and':
        return (document) => inner.every((matches) => matches(document));
      case 'or':
        return (document) => inner.some((matches) => matches(document));
      case 'not':
        return (document) => !inner.some((matches) => matches(document));
    }
  }
  const read = readerOf(filter.key);
  const test = testOf(filter);
  return (document) => test(read(document));
}

type Found = MetadataScalar | readonly MetadataScalar[] | undefined;

function readerOf(key: string): (document: Filterable) => Found {
  if (key.startsWith('$')) {
    const field = key.slice(1) as DocumentField;
    return (document) => composed(document[field] ?? undefined);
  }
  const name = key.normalize('NFC');
  return ({ metadata }) => (metadata === null ? undefined : memberOf(metadata, name));
}

/** The member of this name, as it was written or in composed form. */
function memberOf(metadata: Metadata, name: string): Found {
  if (Object.hasOwn(metadata, name)) return composed(metadata[name]);
  for (const other of Object.keys(metadata))
    if (isComposable(other) && other.normalize('NFC') === name) return composed(metadata[other]);
  return undefined;
}

function testOf({ type, value: given }: LeafFilter): (found: Found) => boolean {
  const value = composed(given) as LeafFilter['value'];
  switch (type) {
    case 'eq':
      return (found) => found === value;
    case 'ne':
      return (found) => isSameType(found, value) && found !== value;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return orderTest(type, value);
    case 'in':
      return (found) => listOf(value).some((one) => one === found);
    case 'nin':
      return (found) => listOf(value).some((one) => isSameType(found, one)) && !listOf(value).some((one) => one === found);
    case 'contains':
      return (found) => Array.isArray(found) && found.includes(value);
    case 'includes':
      return (found) => typeof found === 'string' && found.includes(String(value));
    case 'ends':
      return (found) => typeof found === 'string' && found.endsWith(String(value));
    case 'exists':
      return (found) => (found !== undefined) === value;
    case 'prefix':
      return (found) => typeof found === 'string' && found.startsWith(String(value));
  }
}

function orderTest(type: 'gt' | 'gte' | 'lt' | 'lte', value: LeafFilter['value']): (found: Found) => boolean {
  if (typeof value !== 'number' && typeof value !== 'string') return () => false;
  return (found) => {
    if (typeof found !== typeof value) return false;
    const than = found as typeof value;
    switch (type) {
      case 'gt':
        return than > value;
      case 'gte':
        return than >= value;
      case 'lt':
        return than < value;
      case 'lte':
        return than <= value;
    }
  };
}

function isSameType(found: Found, value: LeafFilter['value']): boolean {
  return kindOf(found) === kindOf(value);
}

function kindOf(value: Found): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function listOf(value: LeafFilter['value']): readonly MetadataScalar[] {
  return Array.isArray(value) ? value : [value as MetadataScalar];
}

function composed(value: Found): Found {
  if (typeof value === 'string') return isComposable(value) ? value.normalize('NFC') : value;
  return Array.isArray(value) ? value.map((item: MetadataScalar) => composed(item) as MetadataScalar) : value;
}

/** Whether a text may change by composition: below U+0300 no character does, and nearly every text has only those. */
function isComposable(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x300) return true;
  return false;
}
