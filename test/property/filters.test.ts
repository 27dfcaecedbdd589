/** 200 generated filters over 10,000 generated documents let the same through on each engine as a plain evaluation does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIndexCatalog } from '../../src/storage/postgres/index/index-catalog.ts';
import { followTable as followPostgres } from '../../src/storage/postgres/index/postgres-table.ts';
import { insertDocument } from '../../src/search/sqlite/catalog.ts';
import { openDatabase } from '../../src/search/sqlite/database.ts';
import type { IndexedDocument } from '../../src/search/document-index.ts';
import type { Comparison, Filter } from '../../src/search/filters.ts';
import { DocumentTable } from '../../src/search/index/document-table.ts';
import { followTable } from '../../src/search/sqlite/sqlite-table.ts';
import { bumpChange } from '../../src/search/index/segments.ts';
import { type Metadata, undescribed } from '../../src/tasks/given.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { openPglite } from '../support/pglite.ts';

const count = 10_000;
const filters = 200;

const names = ['a', 'year', 'tag', 'é', 'e\u0301', '部门'];
const scalars = fc.oneof(
  fc.constantFrom(0, 1, 2, 2024, -1.5, 9_007_199_254_740_991),
  fc.constantFrom('', '1', '2024', 'a', 'ab', 'abc', 'B', 'é', 'e\u0301x', '研发', '2026-01-31', '\u{1F600}'),
  fc.boolean(),
  fc.constant(null),
);
const metadata: fc.Arbitrary<Metadata | null> = fc.option(
  fc.dictionary(fc.constantFrom(...names), fc.oneof({ weight: 3, arbitrary: scalars }, fc.array(scalars, { maxLength: 3 })), {
    maxKeys: 4,
  }),
);
const document = fc.record({
  filename: fc.constantFrom('a.pdf', 'b.TXT', 'Fo\u0308rmlich.txt', 'F\u00f6rmlich.txt', '报告.docx'),
  mediaType: fc.constantFrom('text/plain', 'application/pdf'),
  insertedAt: fc.integer({ min: 0, max: 40 }).map((day) => new Date(Date.UTC(2026, 0, 1) + day * 86_400_000).toISOString()),
  pages: fc.option(fc.integer({ min: 1, max: 5 })),
  fileBytes: fc.integer({ min: 1, max: 20 }),
  language: fc.option(fc.constantFrom('en', 'zh')),
  metadata,
});

const keys = fc.constantFrom(
  ...names,
  'none',
  '$doc_id',
  '$filename',
  '$media_type',
  '$inserted_at',
  '$pages',
  '$file_size',
  '$language',
);
const values = fc.oneof(
  scalars,
  fc.constantFrom<string | number>('a.pdf', 'F\u00f6r', 'application/pdf', '2026-01-20T00:00:00.000Z', 3, 'en', 'd00'),
);
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ type: fc.constantFrom('eq', 'ne', 'contains' as const), key: keys, value: values }),
  fc.record({
    type: fc.constantFrom('gt', 'gte', 'lt', 'lte' as const),
    key: keys,
    value: values.filter((v) => typeof v === 'string' || typeof v === 'number'),
  }),
  fc.record({ type: fc.constantFrom('in', 'nin' as const), key: keys, value: fc.array(values, { minLength: 1, maxLength: 4 }) }),
  fc.record({ type: fc.constant('exists' as const), key: keys, value: fc.boolean() }),
  fc.record({ type: fc.constant('prefix' as const), key: keys, value: values.filter((v) => typeof v === 'string') }),
) as fc.Arbitrary<Filter>;
const connect = (inner: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> =>
  fc.oneof(
    { weight: 1, arbitrary: inner },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('and', 'or', 'not' as const),
        filters: fc.array(inner, { minLength: 1, maxLength: 3 }),
      }),
    },
  );
const filter = connect(connect(connect(leaf)));

/** As the contract says it, in as few words as can be. */
function plainly(of: IndexedDocument, asked: Filter): boolean {
  if ('filters' in asked) {
    const each = asked.filters.map((one) => plainly(of, one));
    return asked.type === 'and' ? !each.includes(false) : each.includes(true) !== (asked.type === 'not');
  }
  const nfc = <T>(value: T): T => (typeof value === 'string' ? value.normalize('NFC') : value) as T;
  const own: Record<string, unknown> = {
    $doc_id: of.docId,
    $filename: of.filename,
    $media_type: of.mediaType,
    $inserted_at: of.insertedAt,
    $pages: of.pages ?? undefined,
    $file_size: of.fileBytes,
    $language: of.language ?? undefined,
  };
  const members = Object.entries(of.metadata ?? {});
  const member = members.find(([name]) => name === nfc(asked.key)) ?? members.find(([name]) => nfc(name) === nfc(asked.key));
  const found = asked.key.startsWith('$') ? own[asked.key] : member?.[1];
  const has = nfc(found);
  const value = nfc(asked.value);
  const kind = (one: unknown): string => (one === null ? 'null' : Array.isArray(one) ? 'array' : typeof one);
  const alike = kind(has) === kind(value) && ['string', 'number'].includes(kind(value));
  const list = Array.isArray(value) ? value.map(nfc) : [];
  switch (asked.type as Comparison) {
    case 'eq':
      return kind(has) === kind(value) && has === value;
    case 'ne':
      return kind(has) === kind(value) && has !== value;
    case 'gt':
      return alike && has! > value!;
    case 'gte':
      return alike && has! >= value!;
    case 'lt':
      return alike && has! < value!;
    case 'lte':
      return alike && has! <= value!;
    case 'in':
      return list.some((one) => kind(one) === kind(has) && one === has);
    case 'nin':
      return list.some((one) => kind(one) === kind(has)) && !list.includes(has as never);
    case 'contains':
      return Array.isArray(has) && has.map(nfc).includes(value as never);
    case 'exists':
      return (has !== undefined) === value;
    case 'prefix':
      return typeof has === 'string' && has.startsWith(value as string);
  }
}

describe('generated filters', () => {
  let folder: string;
  const documents = fc.sample(document, { seed: 7, numRuns: count }).map((made, n): IndexedDocument => ({
    ...undescribed,
    ...made,
    docId: `d${String(n).padStart(5, '0')}`,
    version: `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId,
    ordinal: n,
    sha256: '0'.repeat(64),
    title: null,
    givenTitle: null,
    author: null,
    chunks: 0,
    characters: 0,
    embedder: 'none',
    declaredMediaType: null,
    reading: null,
    warnings: [],
  }));
  const asked = fc.sample(filter, { seed: 11, numRuns: filters });
  const expected = asked.map((one) => documents.flatMap((of, n) => (plainly(of, one) ? [n + 1] : [])));

  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'filters-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('let some documents through, and not all', () => {
    expect(expected.filter((ids) => ids.length > 0 && ids.length < count).length).toBeGreaterThan(filters / 3);
  });

  it.each([
    ['kept in memory', () => new DocumentTable()],
    ['too large to be kept', () => new DocumentTable(1000)],
  ])('mean the same in an index file, its documents %s', (_, make) => {
    const database = openDatabase(join(folder, `index ${_}`));
    const table = followTable(database, 'default', make());
    const half = count / 2;
    const insert = (some: readonly IndexedDocument[]): void =>
      database.write(() => {
        for (const one of some) insertDocument(database, one, { firstChunk: 1, chunks: 0 });
        bumpChange(database, 'default');
      });

    insert(documents.slice(0, half));
    table.matching(asked[0]!);
    insert(documents.slice(half));

    expect(asked.map((one) => [...table.matching(one)].toSorted((a, b) => a - b))).toEqual(expected);
    database.close();
  });

  it('mean the same in PostgreSQL', async () => {
    const database = await openPglite();
    const catalog = createIndexCatalog(database);
    const table = followPostgres(database, 'default');
    const insert = (some: readonly IndexedDocument[]): Promise<void> =>
      database.transaction(async () => {
        for (const one of some) await catalog.insert(one, 0);
      });

    await insert(documents.slice(0, count / 2));
    await database.snapshot(() => table.matching(asked[0]!));
    await insert(documents.slice(count / 2));

    const found: number[][] = [];
    for (const one of asked) found.push([...(await database.snapshot(() => table.matching(one)))].toSorted((a, b) => a - b));
    expect(found).toEqual(expected);
    await database.close();
  });
});
