/** What every document index promises, run against each implementation. */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DocumentIndex,
  type DocumentOrder,
  type DocumentPage,
  type DocumentQuery,
  type IndexedDocument,
  type SearchFilter,
  searchModes,
  type SearchQuery,
} from '../../src/search/document-index.ts';
import { scopedId } from '../../src/documents/document-name.ts';
import type { Filter } from '../../src/search/filters.ts';
import type { TaskId, Version } from '../../src/tasks/task.ts';
import { buildDictionary } from '../../scripts/build-dictionary.ts';
import { randomFrom } from '../support/memory-segment.ts';
import { stageDocument } from '../support/staged-document.ts';

/** By clocks that run backwards: what was accepted later has the smaller id. */
const version = (n: number): TaskId => `0190a0b0-0000-7000-8000-${String(10_000 - n).padStart(12, '0')}` as TaskId;
const numberOf = (id: TaskId): string => String(10_000 - Number(id.slice(-12))).padStart(2, '0');
const nth = (n: number): Version => ({ id: version(n), ordinal: n });

/** `open` gets an empty folder, or one that it was given before. */
export function describeDocumentIndex(name: string, open: (indexDir: string) => Promise<DocumentIndex>): void {
  describe(name, () => {
    let folder: string;
    let index: DocumentIndex;
    let staged = 0;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'document-index-'));
      index = await open(join(folder, 'index'));
    });

    afterEach(async () => {
      await index.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function put(
      docId: string,
      n: number,
      texts: readonly string[],
      { isSilent = false, ...change }: Partial<IndexedDocument> & { section?: string[]; isSilent?: boolean } = {},
    ) {
      const dir = join(folder, `staged-${staged++}`);
      await mkdir(dir);
      const document = await stageDocument(dir, { docId, version: version(n), ordinal: n, texts, ...change });
      const { metadata: _metadata, givenTitle: _givenTitle, ...silent } = document;
      return index.replace(isSilent ? silent : document, dir);
    }

    const search = (query: string, options: Partial<SearchQuery> = {}) =>
      index.search({ query, mode: 'keyword', topK: 10, offset: 0, filter: {}, ...options });
    const found = async (query: string, filter: SearchFilter = {}) =>
      [...new Set((await search(query, { filter })).hits.map((hit) => hit.docId))].sort();

    it('finds a document as soon as replace has returned', async () => {
      expect(await put('a', 1, ['The quick brown fox'])).toBe('ok');
      expect(await found('foxes')).toEqual(['a']);
      expect(await index.info('a')).toMatchObject({ docId: 'a', version: version(1), chunks: 1 });
      expect(await index.stats()).toMatchObject({ documents: 1, chunks: 1 });
    });

    it('shows equally good hits in the order of their chunks, each once over the pages, and says of no fewer than it shows', async () => {
      for (let n = 1; n <= 30; n += 1)
        await put(
          `d${n % 20}`,
          n,
          Array.from({ length: 1 + (n % 20 === 5 ? 99 : 0) }, () => 'leave policy'),
        );
      for (const mode of searchModes) {
        const shown: string[] = [];
        for (let offset = 0; ; offset += 25) {
          const { hits, total } = await search('policy', { mode, offset, topK: 25 });
          if (hits.length === 0) break;
          expect(total).toBeGreaterThanOrEqual(offset + hits.length);
          shown.push(...hits.map((hit) => `${numberOf(hit.version)} ${String(hit.chunkIndex).padStart(3, '0')}`));
        }
        expect(new Set(shown).size).toBe(119);
        expect(shown).toHaveLength(119);
        const alone = shown.filter((hit) => !hit.startsWith(numberOf(version(25))));
        expect(alone, mode).toEqual(alone.toSorted());
      }
    });

    it('shows 8,000 characters of a chunk, a title and headings of an older version that had no bound, and cites them exactly [S49]', async () => {
      const beginnings = ['needle\n', 'needle \0 \u0001"\\', 'needle 😀', 'needle é', 'needle 检索', 'needle', 'needle "'];
      const units = ['\n', ' ', '\u200b', '\0', '\\', '😀', '检'];
      const texts = beginnings.map((beginning, i) => beginning + units[i]!.repeat(70_000));
      const long = { title: 't'.repeat(100_000), section: Array.from({ length: 30 }, () => 'needle'.repeat(40)) };
      await put('wide', 1, texts, long);

      for (const mode of searchModes) {
        const { hits } = await search('"needle" needles', { mode, topK: 100 });
        expect(hits).toHaveLength(texts.length);
        for (const hit of hits) {
          const text = texts[hit.chunkIndex]!;
          expect(hit.text.length).toBeLessThanOrEqual(8000);
          expect(hit.text.length).toBeGreaterThanOrEqual(7999);
          expect(text.startsWith(hit.text) && hit.text.isWellFormed()).toBe(true);
          expect(hit.end - hit.start).toBe(hit.text.length);
          expect(hit.title!.length).toBeLessThanOrEqual(300);
          expect(hit.section.join('').length).toBeLessThanOrEqual(8 * 200);
          expect(hit.highlights.length).toBeLessThanOrEqual(200);
        }
      }
      expect((await index.info('wide'))!.title!.length).toBeLessThanOrEqual(300);
    });

    it('counts what only widens a question among what it found', async () => {
      for (let n = 1; n <= 3; n += 1) await put(`leave-${n}`, n, [`Leave policy number ${n}: staff may take ${n} days of leave`]);
      for (let n = 4; n <= 9; n += 1) await put(`other-${n}`, n, [`Staff number ${n} may take days`]);
      for (let n = 10; n <= 60; n += 1) await put(`far-${n}`, n, [`bread ${n} is made of flour`]);
      for (const mode of searchModes) {
        const { hits, total } = await search('leave policy', { mode, topK: 50 });
        expect(total, mode).toBe(hits.length);
        expect(hits.length).toBe(mode === 'keyword' ? 3 : 9);
      }
    });

    it('shows the new version only, once it is there', async () => {
      await put('a', 1, ['old apple']);
      await put('a', 2, ['new pear', 'second pear']);
      expect(await found('apple')).toEqual([]);
      expect((await search('pear')).hits.map((hit) => hit.version)).toEqual([version(2), version(2)]);
      expect(await index.stats()).toMatchObject({ documents: 1, chunks: 2 });
    });

    it('answers ok and changes nothing when a version comes twice', async () => {
      await put('a', 1, ['apple']);
      expect(await put('a', 1, ['something else'])).toBe('ok');
      expect(await found('apple')).toEqual(['a']);
    });

    it('refuses a version older than the one that is there', async () => {
      await put('a', 2, ['new']);
      expect(await put('a', 1, ['old'])).toBe('stale');
      expect(await found('old')).toEqual([]);
      expect(await index.wasCommitted('a', version(1))).toBe(false);
    });

    it('refuses a version older than a removal, and takes a newer one', async () => {
      await put('a', 1, ['apple']);
      expect(await index.remove('a', 5)).toBe(true);
      expect(await found('apple')).toEqual([]);
      expect(await index.info('a')).toBeNull();
      expect(await put('a', 4, ['apple'])).toBe('stale');
      expect(await put('a', 6, ['apple'])).toBe('ok');
      expect(await index.remove('unknown', 7)).toBe(false);
    });

    it('leaves a version that is newer than the removal', async () => {
      await put('a', 9, ['apple']);
      expect(await index.remove('a', 5)).toBe(false);
      expect(await found('apple')).toEqual(['a']);
    });

    it('never takes a revoked task, until it is reinstated', async () => {
      expect(await index.revoke('a', nth(1))).toBe('ok');
      expect(await index.revoke('a', nth(1))).toBe('ok');
      expect(await put('a', 1, ['apple'])).toBe('revoked');
      expect(await found('apple')).toEqual([]);
      await index.reinstate('a', version(1));
      expect(await put('a', 1, ['apple'])).toBe('ok');
    });

    it('says that a revocation is too late, even after the version was replaced or removed', async () => {
      await put('a', 1, ['apple']);
      await put('a', 2, ['pear']);
      await index.remove('a', 3);
      expect(await index.revoke('a', nth(1))).toBe('committed');
      expect(await index.revoke('a', nth(2))).toBe('committed');
      expect(await index.wasCommitted('a', version(1))).toBe(true);
      expect(await index.wasCommitted('a', version(3))).toBe(false);
    });

    it('moves the fence, the name and the metadata when the same bytes come again', async () => {
      await put('a', 1, ['apple'], { filename: 'one.txt' });
      expect(await index.touch('a', nth(3), { filename: 'two.txt', metadata: { team: 'x' } })).toBe('ok');
      expect(await index.touch('a', nth(3), { filename: 'two.txt', metadata: { team: 'x' } })).toBe('ok');
      expect(await index.info('a')).toMatchObject({ version: version(3), filename: 'two.txt', metadata: { team: 'x' } });
      expect(await index.wasCommitted('a', version(3))).toBe(true);
      expect(await put('a', 2, ['pear'])).toBe('stale');
      expect(await index.touch('a', nth(2), { filename: 'x', metadata: null })).toBe('stale');
      expect(await index.touch('b', nth(4), { filename: 'x', metadata: null })).toBe('stale');
      await index.revoke('a', nth(5));
      expect(await index.touch('a', nth(5), { filename: 'x', metadata: null })).toBe('revoked');
    });

    it('keeps what a client said when the next version says nothing of it, and drops it for null', async () => {
      await put('a', 1, ['apple'], { title: 'Own', metadata: { team: 'x', tags: ['hr', 7] } });
      await index.change('a', { title: 'Given' });
      await put('a', 2, ['pear'], { title: 'Other', isSilent: true });
      expect(await index.info('a')).toMatchObject({
        title: 'Other',
        givenTitle: 'Given',
        metadata: { team: 'x', tags: ['hr', 7] },
      });
      expect(await index.touch('a', nth(3), { filename: 'b.txt' })).toBe('ok');
      expect(await index.info('a')).toMatchObject({
        filename: 'b.txt',
        givenTitle: 'Given',
        metadata: { team: 'x', tags: ['hr', 7] },
      });
      expect((await search('pear')).hits[0]).toMatchObject({ title: 'Given', metadata: { team: 'x', tags: ['hr', 7] } });
      await put('a', 4, ['plum'], { metadata: null });
      expect(await index.info('a')).toMatchObject({ metadata: null });
    });

    it('changes what is said of a document by a merge patch, without another version', async () => {
      await put('a', 1, ['apple'], { metadata: { a: 1, b: null } });
      expect(await index.change('a', { metadata: { a: null, c: [true, 'x'] }, filename: 'n.txt' })).toMatchObject({
        version: version(1),
        filename: 'n.txt',
        metadata: { b: null, c: [true, 'x'] },
      });
      expect(await index.change('a', { metadata: {} })).toMatchObject({ metadata: { b: null, c: [true, 'x'] } });
      await expect(index.change('a', { metadata: { deep: { er: 1 } } })).rejects.toThrow('metadata: "deep": is an object');
      await expect(index.change('a', { metadata: { large: 'x'.repeat(20_000) } })).rejects.toThrow('16384 at most');
      expect(await index.change('a', { metadata: null, title: 'T' })).toMatchObject({ metadata: null, givenTitle: 'T' });
      expect(await index.change('a', { title: null })).toMatchObject({ givenTitle: null });
      expect(await index.info('a')).toMatchObject({ metadata: null, givenTitle: null, filename: 'n.txt' });
      expect(await index.change('b', { metadata: { a: 1 } })).toBeNull();
      expect(await found('apple')).toEqual(['a']);
    });

    it('remembers everything after it was closed and opened again', async () => {
      await put('a', 2, ['apple']);
      await index.revoke('b', nth(3));
      await index.remove('c', 9);
      await index.close();
      index = await open(join(folder, 'index'));
      expect(await found('apple')).toEqual(['a']);
      expect(await put('a', 1, ['old'])).toBe('stale');
      expect(await put('b', 3, ['revoked'])).toBe('revoked');
      expect(await put('c', 8, ['late'])).toBe('stale');
    });

    it('forgets old fences and revocations when they are purged, but no document', async () => {
      await put('a', 1, ['apple']);
      await index.revoke('b', nth(2));
      await index.remove('c', 3);
      await index.purge(10);
      expect(await put('b', 2, ['pear'])).toBe('ok');
      expect(await put('c', 2, ['plum'])).toBe('ok');
      expect(await found('apple')).toEqual(['a']);
      expect(await index.wasCommitted('a', version(1))).toBe(true);
    });

    it('lists documents newest first, page by page', async () => {
      for (let n = 1; n <= 5; n++) await put(`d${n}`, n, ['x'], { insertedAt: `2026-01-0${n}T00:00:00.000Z` });
      const first = await index.list({ limit: 2 });
      const second = await index.list({ limit: 2, cursor: first.nextCursor! });
      const third = await index.list({ limit: 2, cursor: second.nextCursor! });
      expect([first, second, third].map((page) => page.documents.map((document) => document.docId))).toEqual([
        ['d5', 'd4'],
        ['d3', 'd2'],
        ['d1'],
      ]);
      expect(third.nextCursor).toBeNull();
    });

    it('begins a list behind a document, in both directions, whether it is still there or not', async () => {
      for (let n = 1; n <= 5; n++)
        await put(`d${n}`, n, ['x'], { insertedAt: `2026-01-0${n}T00:00:00.000Z`, metadata: { odd: n % 2 === 1 } });
      const after = { docId: 'd3', insertedAt: '2026-01-03T00:00:00.000Z' };
      const ids = async (query: DocumentQuery): Promise<string[]> => (await index.list(query)).documents.map(({ docId }) => docId);
      const upwards = { by: 'inserted_at', descending: false } as const;
      for (let round = 0; round < 2; round++) {
        expect(await ids({ limit: 10, after })).toEqual(['d2', 'd1']);
        expect(await ids({ limit: 1, after, sort: upwards })).toEqual(['d4']);
        expect(await ids({ limit: 10, after, filters: { type: 'eq', key: 'odd', value: true } })).toEqual(['d1']);
        await index.remove('d3', 9);
      }
    });

    it('filters by document, name, type, date and metadata', async () => {
      await put('a', 1, ['apple'], {
        filename: 'a.pdf',
        mediaType: 'application/pdf',
        insertedAt: '2026-01-01T00:00:00.000Z',
        metadata: { team: 'x', year: 2024, open: true, note: null },
      });
      await put('b', 2, ['apple'], {
        filename: 'b.txt',
        mediaType: 'text/plain',
        insertedAt: '2026-02-01T00:00:00.000Z',
        metadata: { team: 'y', 'odd "key"': 'v' },
      });
      await put('c', 3, ['apple'], { insertedAt: '2026-03-01T00:00:00.000Z' });
      expect(await found('apple')).toEqual(['a', 'b', 'c']);
      expect(await found('apple', { docIds: ['a', 'c', 'zz'] })).toEqual(['a', 'c']);
      expect(await found('apple', { docIds: [] })).toEqual([]);
      expect(await found('apple', { filename: 'b.txt' })).toEqual(['b']);
      expect(await found('apple', { mediaType: 'application/pdf' })).toEqual(['a']);
      expect(await found('apple', { insertedAfter: '2026-02-01T00:00:00.000Z' })).toEqual(['b', 'c']);
      expect(await found('apple', { insertedBefore: '2026-02-01T00:00:00.000Z' })).toEqual(['a', 'b']);
      expect(await found('apple', { metadata: { team: 'x', year: 2024, open: true, note: null } })).toEqual(['a']);
      expect(await found('apple', { metadata: { 'odd "key"': 'v' } })).toEqual(['b']);
      expect(await found('apple', { metadata: { year: '2024' } })).toEqual([]);
    });

    it('lets through a filter what it says, in searches and in lists, whatever was replaced, changed or removed since', async () => {
      await put('a', 1, ['apple'], { metadata: { year: 2024, tags: ['hr'] }, filename: 'Fo\u0308rmlich.pdf', pages: 3 });
      await put('b', 2, ['apple'], { metadata: { year: '2024' } });
      await put('c', 3, ['apple']);
      const year: Filter = { type: 'eq', key: 'year', value: 2024 };
      const listed = async (filters: Filter) => (await index.list({ limit: 10, filters })).documents.map(({ docId }) => docId);
      for (const [filter, ids] of [
        [year, ['a']],
        [{ type: 'not', filters: [year] }, ['b', 'c']],
        [{ type: 'contains', key: 'tags', value: 'hr' }, ['a']],
        [{ type: 'eq', key: '$filename', value: 'F\u00f6rmlich.pdf' }, ['a']],
        [{ type: 'gte', key: '$pages', value: 2 }, ['a']],
        [{ type: 'exists', key: 'year', value: false }, ['c']],
        [{ type: 'eq', key: 'year', value: 1 }, []],
      ] satisfies [Filter, string[]][]) {
        expect(await found('apple', { filters: filter })).toEqual(ids);
        expect((await listed(filter)).toSorted()).toEqual(ids);
      }
      await put('c', 4, ['apple'], { metadata: { year: 2024 } });
      await index.change('b', { metadata: { year: 2024 } });
      await index.remove('a', 5);
      expect(await found('apple', { filters: year })).toEqual(['b', 'c']);
      expect(await found('apple', { filters: year, docIds: ['a', 'b'] })).toEqual(['b']);
      expect((await listed(year)).toSorted()).toEqual(['b', 'c']);
      await index.touch('b', nth(6), { filename: 'b', metadata: null });
      expect(await listed(year)).toEqual(['c']);
    });

    it('lists by part of a name and in every order, page by page', async () => {
      const names = ['Report 2.pdf', 'report １.PDF', '报告.docx', 'Übersicht.txt'];
      for (const [n, filename] of names.entries())
        await put(
          `d${n}`,
          n + 1,
          Array.from({ length: 4 - n }, () => 'x'),
          {
            filename,
            title: n === 0 ? null : `T${n}`,
            fileBytes: (n * 7) % 5,
            insertedAt: `2026-01-0${n + 1}T00:00:00.000Z`,
          },
        );
      await index.change('d3', { title: 'Annual REPORT' });
      const listed = async (query: Omit<DocumentQuery, 'limit'>, limit = 10) => {
        const ids: string[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const page: DocumentPage = await index.list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
          ids.push(...page.documents.map(({ docId }) => docId));
          expect(page.documents.length).toBeLessThanOrEqual(limit);
          cursor = page.nextCursor;
        }
        return ids;
      };
      expect(await listed({ q: 'report' })).toEqual(['d3', 'd1', 'd0']);
      expect(await listed({ q: 'PDF report 1' })).toEqual(['d1']);
      expect(await listed({ q: '报' })).toEqual(['d2']);
      expect(await listed({ q: 'none' })).toEqual([]);
      for (const [by, ids] of [
        ['filename', ['d1', 'd0', 'd3', 'd2']],
        ['title', ['d3', 'd1', 'd2', 'd0']],
        ['doc_id', ['d0', 'd1', 'd2', 'd3']],
        ['file_size', ['d0', 'd3', 'd1', 'd2']],
        ['chunks', ['d3', 'd2', 'd1', 'd0']],
        ['inserted_at', ['d0', 'd1', 'd2', 'd3']],
      ] satisfies [DocumentOrder, string[]][]) {
        expect(await listed({ sort: { by, descending: false } }, 2), by).toEqual(ids);
        // What has no value is last both ways.
        const back = by === 'title' ? ['d2', 'd1', 'd3', 'd0'] : ids.toReversed();
        expect(await listed({ sort: { by, descending: true } }, 1), by).toEqual(back);
      }
      const { nextCursor } = await index.list({ limit: 1, sort: { by: 'title', descending: false } });
      const elsewhere = index.list({ limit: 1, sort: { by: 'chunks', descending: false }, cursor: nextCursor! });
      await expect(elsewhere).rejects.toThrow('cursor: not from this server');
    });

    it('rates each passage by what of the question is in it, whatever else the collection holds', async () => {
      await put('a', 1, ['Staff may take thirty days of leave each year.', 'The canteen opens at noon.'], {
        section: ['员工假期'],
      });
      const rated = async (query: string, options: Partial<SearchQuery> = {}) =>
        (await search(query, { mode: 'hybrid', ...options })).hits.map((hit) => [hit.chunkIndex, hit.relevance]);
      const before = await rated('leave days per year');
      expect((await rated('leave days'))[0]).toEqual([0, 1]);
      expect((await rated('leave zeppelins'))[0]![1]).toBeLessThan(0.6);
      // A word that was repaired is there, and so is one of a heading.
      expect((await rated('laeve days'))[0]).toEqual([0, 1]);
      expect((await rated('员工 leave'))[0]).toEqual([0, 1]);
      for (let n = 2; n < 12; n++) await put(`other ${n}`, n, [`Something else altogether, number ${n}.`]);
      const [[, grown]] = (await rated('leave days per year')) as [[number, number]];
      expect(Math.abs(grown - before[0]![1]!)).toBeLessThan(0.15);
      expect(await rated('leave days zeppelin', { minRelevance: 0.99 })).toEqual([]);
      const { hits, total } = await search('leave canteen', { mode: 'hybrid', minRelevance: 0.3 });
      expect([new Set(hits.map(({ chunkIndex }) => chunkIndex)), total]).toEqual([new Set([0, 1]), 2]);
    });

    it('groups by document, says how many more there are, and gives the texts around a hit', async () => {
      const texts = Array.from({ length: 6 }, (_, n) => `apple part${n}`);
      await put('a', 1, texts);
      await put('b', 2, ['apple pie alone']);
      const grouped = await search('apple', { groupBy: 'document' });
      expect(Object.fromEntries(grouped.hits.map(({ docId, more }) => [docId, more]))).toEqual({ a: 5, b: 0 });
      expect(grouped.total).toBe(7);
      const second = await search('apple', { groupBy: 'document', topK: 1, offset: 1 });
      expect(second.hits.map(({ docId }) => docId)).toEqual([grouped.hits[1]!.docId]);
      for (const [part, before, after] of [
        [0, [], [1, 2]],
        [3, [1, 2], [4, 5]],
        [5, [3, 4], []],
      ] as const) {
        const [hit] = (await search(`part${part}`, { context: 2 })).hits;
        expect(hit!.context).toEqual({ before: before.map((n) => texts[n]), after: after.map((n) => texts[n]) });
      }
      expect((await search('part3')).hits[0]).not.toHaveProperty('context');
    });

    it('lists the chunks of a document in order', async () => {
      await put('a', 1, ['one', 'two', 'three'], { section: ['S'] });
      const chunksOf = async (from: number, limit: number) => (await index.chunks('a', from, limit))!.chunks;
      expect(await chunksOf(0, 2)).toEqual([
        { text: 'one', chunkIndex: 0, start: 0, end: 3, page: 1, pageEnd: 1, section: ['S'] },
        { text: 'two', chunkIndex: 1, start: 5, end: 8, page: 2, pageEnd: 2, section: ['S'] },
      ]);
      expect((await chunksOf(2, 10)).map(({ text, chunkIndex }) => [text, chunkIndex])).toEqual([['three', 2]]);
      expect(await chunksOf(3, 10)).toEqual([]);
      expect(await index.chunks('none', 0, 10)).toBeNull();
    });

    it('cites the exact place of each hit and marks what matched', async () => {
      await put('a', 1, ['Nothing here.', 'Running foxes 與 行政法院 run.']);
      for (const [query, marked] of [
        ['fox runs', ['Running', 'foxes', 'run']],
        ['行政', ['行政']],
      ] as const) {
        const [hit] = (await search(query)).hits;
        expect(hit).toMatchObject({ docId: 'a', chunkIndex: 1, page: 2 });
        expect(hit!.end - hit!.start).toBe(hit!.text.length);
        expect(hit!.highlights.map(([from, to]) => hit!.text.slice(from, to))).toEqual(marked);
      }
    });

    it('pages through the hits without repeating any', async () => {
      for (let n = 1; n <= 7; n++) await put(`d${n}`, n, [`apple number ${n}`]);
      const pages = await Promise.all([0, 3, 6, 9].map((offset) => search('apple', { topK: 3, offset })));
      const ids = pages.flatMap((page) => page.hits.map((hit) => hit.docId));
      expect(ids.length).toBe(7);
      expect(new Set(ids).size).toBe(7);
      expect(pages[0]!.total).toBe(7);
    });

    it('shows over its pages what one long page shows, in its order and each hit once, however deep a page lies', async () => {
      const random = randomFrom(24);
      // What has one word many times comes before what has all of them among others, and answers less of the question.
      const drawn = (words: readonly string[]): string[] =>
        words.flatMap((word) => (random() < 0.5 ? Array.from({ length: 1 + Math.floor(random() * 9) }, () => word) : []));
      const [documents, pageHits] = [7, 60];
      for (let n = 1; n <= 2 * documents; n += 1) {
        const isEnglish = n <= documents;
        const texts = Array.from({ length: n === 1 || n === documents + 1 ? 240 : 30 }, (_, at) =>
          isEnglish
            ? ['policy', ...drawn(['leave', 'annual', 'staff', 'travel', 'paid', 'office']), `number ${n} ${at}`].join(' ')
            : ['制度', ...drawn(['休假', '年度', '员工', '差旅', '带薪', '办公']), `第${n}之${at}号`].join('，'),
        );
        await put(`d${n}`, n, texts, { metadata: { part: n % documents <= 3 } });
      }
      const inPart: Filter = { type: 'eq', key: 'part', value: true };
      const narrowings: Partial<SearchQuery>[] = [{}, { filter: { filters: inPart } }, { minRelevance: 0.4 }];
      for (const query of ['annual leave policy', '年度休假制度'])
        for (const narrowed of narrowings) {
          const page = async (offset: number, topK: number) => {
            const { hits, total } = await search(query, { mode: 'hybrid', offset, topK, ...narrowed });
            expect(total).toBeGreaterThanOrEqual(offset + hits.length);
            return hits.map(({ docId, chunkIndex }) => `${docId} ${chunkIndex}`);
          };
          const pages = [await page(0, pageHits)];
          while (pages.at(-1)!.length === pageHits) pages.push(await page(pages.length * pageHits, pageHits));
          const what = `${query} ${JSON.stringify(narrowed)}`;
          const shown = pages.flat();
          expect(new Set(shown).size, what).toBe(shown.length);
          expect(shown.length, what).toBeGreaterThan(2 * pageHits);
          expect(shown, what).toEqual(await page(0, 1000));
        }
    });

    it('answers nothing to a query without any term', async () => {
      await put('a', 1, ['apple']);
      expect((await search('!?')).hits).toEqual([]);
      expect((await search('')).total).toBe(0);
    });

    it('keeps a document without chunks', async () => {
      expect(await put('a', 1, [])).toBe('ok');
      expect(await index.info('a')).toMatchObject({ chunks: 0 });
      expect(await put('a', 2, ['apple'])).toBe('ok');
    });

    describe('with collections', () => {
      const inHr = (docId: string): string => scopedId({ collection: 'hr', docId });

      it('finds in one collection what was put into it, and nothing of another', async () => {
        await put('a', 1, ['Salaries of the harbour pilots']);
        await put(inHr('a'), 2, ['Holidays of the harbour pilots']);

        const [ours, theirs] = [await search('harbour'), await search('harbour', { collection: 'hr' })];

        expect(ours).toMatchObject({ total: 1, hits: [{ docId: 'a' }] });
        expect(theirs).toMatchObject({ total: 1, hits: [{ docId: inHr('a') }] });
        expect(await search('salaries', { collection: 'hr' })).toMatchObject({ total: 0, hits: [] });
        expect(await search('harbour', { collection: 'nowhere' })).toMatchObject({ total: 0, hits: [] });
      });

      it('scores by the statistics of the collection alone', async () => {
        await put(inHr('a'), 1, ['Holidays of the harbour pilots']);
        await put(inHr('b'), 2, ['A list of all harbours']);
        const before = await search('harbour pilots', { collection: 'hr', mode: 'hybrid' });
        for (let n = 3; n < 30; n += 1) await put(`d${n}`, n, [`Harbour pilots number ${n}, pilots and pilots`]);

        expect((await search('harbour pilots', { collection: 'hr', mode: 'hybrid' })).hits).toEqual(before.hits);
      });

      it('repairs a typing error by the words of the collection alone', async () => {
        await put('a', 1, ['The confidential word is zirconium']);
        await put(inHr('a'), 2, ['Nothing is written here']);

        expect((await search('zirconiun', { mode: 'hybrid' })).total).toBe(1);
        expect((await search('zirconiun', { collection: 'hr', mode: 'hybrid' })).total).toBe(0);
      });

      it('filters within the collection', async () => {
        await put('a', 1, ['One harbour'], { filename: 'same.txt' });
        await put(inHr('a'), 2, ['Another harbour'], { filename: 'same.txt' });

        const { hits } = await search('harbour', { collection: 'hr', filter: { filename: 'same.txt' } });

        expect(hits.map(({ docId }) => docId)).toEqual([inHr('a')]);
      });

      it('lists the documents of one collection, page by page', async () => {
        for (let n = 1; n <= 5; n += 1) {
          await put(`d${n}`, n, ['x']);
          await put(inHr(`d${n}`), 10 + n, ['y'], { insertedAt: `2026-01-01T00:00:0${n}.000Z` });
        }
        const names: string[] = [];
        for (let cursor: string | undefined; ;) {
          const page = await index.list({ collection: 'hr', limit: 2, ...(cursor === undefined ? {} : { cursor }) });
          names.push(...page.documents.map(({ docId }) => docId));
          if (page.nextCursor === null) break;
          cursor = page.nextCursor;
        }

        expect(names).toEqual(['d5', 'd4', 'd3', 'd2', 'd1'].map(inHr));
        expect((await index.list({ limit: 100 })).documents).toHaveLength(10);
      });

      it('counts what each collection holds', async () => {
        await put('a', 1, ['x', 'y'], { fileBytes: 7 });
        await put(inHr('a'), 2, ['x'], { fileBytes: 5 });
        await put(inHr('b'), 3, ['x'], { fileBytes: 5 });
        await put(inHr('b'), 4, ['x', 'y', 'z'], { fileBytes: 6 });
        await index.remove(inHr('a'), 5);

        expect(Object.fromEntries(await index.collectionStats(null))).toEqual({
          default: { documents: 1, chunks: 2, bytes: 7 },
          hr: { documents: 1, chunks: 3, bytes: 6 },
        });
        expect(Object.fromEntries(await index.collectionStats(['default', 'nowhere']))).toEqual({
          default: { documents: 1, chunks: 2, bytes: 7 },
        });
      });

      it('removes many at once, and no later version of one', async () => {
        await put(inHr('a'), 1, ['x']);
        await put(inHr('b'), 2, ['x']);
        await put(inHr('c'), 9, ['x']);
        await index.removeMany(['a', 'b', 'c'].map(inHr), 5);

        expect((await index.list({ collection: 'hr', limit: 10 })).documents.map(({ docId }) => docId)).toEqual([inHr('c')]);
        expect(await put(inHr('a'), 3, ['x'])).toBe('stale');
        expect((await search('x', { collection: 'hr' })).total).toBe(1);
      });

      it('merges no segments of two collections', async () => {
        for (let n = 1; n <= 40; n += 1) await put(n % 2 === 0 ? `d${n}` : inHr(`d${n}`), n, [`Harbour ${n}`]);

        await expect.poll(async () => (await search('harbour', { collection: 'hr' })).total).toBe(20);
        expect((await search('harbour')).total).toBe(20);
      });
    });

    describe('a question with an error', () => {
      const hybrid = (query: string) => search(query, { mode: 'hybrid' });

      beforeEach(async () => {
        await buildDictionary();
        await put('court', 1, ['行政法院是审理行政案件的机关。']);
        await put('install', 2, ['安装说明在第三页，请先阅读。']);
        await put('aero', 3, ['Aerodynamics of a wing in supersonic flow']);
      });

      it('reads a character typed for one that sounds like it, and says so', async () => {
        for (const [wrong, right, docId] of [
          ['行证法院', '行政法院', 'court'],
          ['安庄说明', '安装说明', 'install'],
        ] as const) {
          const { hits, shownFor } = await hybrid(wrong);
          expect(hits[0]!.docId).toBe(docId);
          expect(shownFor).toBe(right);
        }
      });

      it('reads a character typed for any other by what stands around it, and says so', async () => {
        for (const [wrong, right, docId] of [
          ['行故法院', '行政法院', 'court'],
          ['安装脱明', '安装说明', 'install'],
          ['審埋行政案件', '審理行政案件', 'court'],
          ['审理行政案什', '审理行政案件', 'court'],
        ] as const) {
          const { hits, shownFor } = await hybrid(wrong);
          expect(hits[0]!.docId, wrong).toBe(docId);
          expect(shownFor, wrong).toBe(right);
        }
      });

      it('finds by the character that was meant, in no pair of the question too', async () => {
        await put('mint', 4, ['装修时请先断电。庄园在山上。']);
        const [hit] = (await hybrid('安庄')).hits;
        expect(hit!.docId).toBe('install');
        expect(hit!.highlights.length).toBeGreaterThan(0);
      });

      it('reads two characters typed in each other’s place, and says so', async () => {
        for (const [wrong, right, docId] of [
          ['行法政院', '行政法院', 'court'],
          ['安装明说', '安装说明', 'install'],
          ['審理行案政件', '審理行政案件', 'court'],
        ] as const) {
          const { hits, shownFor } = await hybrid(wrong);
          expect(hits[0]!.docId, wrong).toBe(docId);
          expect(shownFor, wrong).toBe(right);
        }
      });

      it('leaves two characters as they are where the language has them so, or a text has them with their neighbours', async () => {
        await put('order', 5, ['法国的国法，上海的海上']);
        for (const query of ['国法', '海上', '明说', '法国的国法']) expect((await hybrid(query)).shownFor, query).toBeNull();
      });

      it('marks what it was read as', async () => {
        const [hit] = (await hybrid('安庄')).hits;
        expect(hit!.highlights.map(([from, to]) => hit!.text.slice(from, to))).toContain('安装');
      });

      it('says what a word was read as, and nothing where all of it was read as written', async () => {
        expect((await hybrid('wing aerodinamics')).shownFor).toBe('wing aerodynamics');
        for (const query of ['行政法院', 'aerodynamics of a wing', '完全没有的词语', ''])
          expect((await hybrid(query)).shownFor, query).toBeNull();
        expect((await search('行证法院')).shownFor).toBeNull();
      });

      it('leaves a word that the language knows as it is, though no text has it and one has a neighbour of it', async () => {
        await put('foreign', 4, ['ling warranti']);
        for (const query of ['how long is the warranty', 'how longer', 'who thought of the wing', 'wing'])
          expect((await hybrid(query)).shownFor, query).toBeNull();
        expect((await hybrid('how long')).hits).toEqual([]);
        expect((await hybrid('flow of a wirg')).shownFor).toBe('flow of a wing');
      });

      it('takes no rare word that the language knows for an error because a neighbour is common', async () => {
        await put('rare', 5, ['A long flight']);
        await put(
          'common',
          6,
          Array.from({ length: 400 }, () => 'lung'),
        );

        expect((await hybrid('long')).hits.map(({ docId }) => docId)).toEqual(['rare']);
      });

      it('leaves a Chinese word that the language knows as it is, though a text has only one that sounds like it', async () => {
        await put('power', 7, ['公民权力机关与权力监督']);
        for (const query of ['公民权利', '公民的权利', '行政权利']) expect((await hybrid(query)).shownFor, query).toBeNull();
      });
    });

    describe('a text that several documents have', () => {
      const leave = 'Employees are entitled to thirty days of paid leave in every calendar year.';
      const others = Array.from({ length: 10 }, (_, i) => `Paid leave, note ${i}: ask the office of floor ${i} before you book.`);

      it.each(searchModes)(
        'is there once among ten hits, with its other places, and those are found further down: %s',
        async (mode) => {
          await put('handbook', 1, [leave]);
          await put('copy', 2, [`## Leave\n\n> ${leave.replaceAll(' ', '  ')}`]);
          await put('bold', 3, [`<p>**${leave}**</p>`]);
          await put('other year', 4, [leave.replace('thirty', 'twenty')]);
          for (const [i, text] of others.entries()) await put(`note-${i}`, 10 + i, [text]);
          const whole = await search('thirty days of paid leave', { mode, topK: 40 });
          const [first, ...rest] = whole.hits.filter(({ docId }) => ['handbook', 'copy', 'bold'].includes(docId));
          expect(new Set([first!, ...first!.alsoIn!].map(({ docId }) => docId))).toEqual(new Set(['handbook', 'copy', 'bold']));
          expect(whole.hits.slice(0, 10)).not.toEqual(expect.arrayContaining([rest[0]]));
          expect(rest.map(({ alsoIn }) => alsoIn)).toEqual([undefined, undefined]);
          expect(whole.hits.find(({ docId }) => docId === 'other year')!.alsoIn).toBeUndefined();
          const pages = [];
          for (let offset = 0; offset < 40; offset += 5)
            pages.push(...(await search('thirty days of paid leave', { mode, topK: 5, offset })).hits);
          expect(pages).toEqual(whole.hits);
        },
      );
    });

    it.each(['keyword', 'hybrid', 'vector'] as const)(
      'weighs the words of a question by the texts in its language, whatever else is there: %s',
      async (mode) => {
        await put('castle', 1, ['The castle of this land is old and it stands on the hill.']);
        for (const n of [2, 3, 4, 5]) await put(`wine-${n}`, n, [`The wine, the wine ${n} and the wine of this land.`]);
        for (const n of [6, 7, 8]) await put(`road-${n}`, n, [`The road number ${n} of this land is long.`]);
        const alone = (await search('castle wine', { mode })).hits;
        expect(alone.map(({ docId }) => docId)).toEqual(['castle', ...[2, 3, 4, 5].map((n) => `wine-${n}`)]);

        await put(
          'chinese',
          9,
          Array.from({ length: 60 }, (_, i) => `第${i}章说的是这条路的长度和它的历史。`),
        );
        expect((await search('castle wine', { mode })).hits).toEqual(alone);
      },
    );

    describe('a question in the other language', () => {
      const hybrid = (query: string, options: Partial<SearchQuery> = {}) => search(query, { mode: 'hybrid', ...options });
      const intercepted = 'The Panthers defense gave up just 308 points and led the league in interceptions with 24.';

      beforeEach(async () => {
        await buildDictionary();
        await put('football', 1, [intercepted]);
        await put('wine', 2, ['The wine of this region is kept in cellars for ten years, and then it is sold.']);
        await put('law', 3, ['用人单位与劳动者协商一致，可以解除劳动合同。']);
        await put('sea', 4, ['海水的盐度在不同的海域是不一样的。']);
      });

      it('in Chinese finds English text, says so, and marks what its words mean', async () => {
        const [hit] = (await hybrid('黑豹队的防守拦截了多少次？')).hits;
        expect(hit).toMatchObject({ docId: 'football', acrossLanguages: true });
        const marked = hit!.highlights.map(([from, to]) => hit!.text.slice(from, to));
        expect(marked).toEqual(expect.arrayContaining(['Panthers', 'interceptions']));
      });

      it('in English finds Chinese text', async () => {
        const [hit] = (await hybrid('How can a labor contract be terminated?')).hits;
        expect(hit).toMatchObject({ docId: 'law', acrossLanguages: true });
        expect(hit!.highlights.map(([from, to]) => hit!.text.slice(from, to)).join('')).toContain('劳动合同');
      });

      it('is rated alike among few texts and among many, and higher where a name of it is heard in the text', async () => {
        const text = 'Jacksonville was a small settlement at a narrow point of the river, and its history is long.';
        await put('history', 5, [text]);
        await put('nameless', 6, [text.replace('Jacksonville', 'Somewhere')]);
        const rated = async (docId: string) =>
          (await hybrid('杰克逊维尔的历史', { filter: { docIds: [docId] } })).hits[0]!.relevance;
        const before = await rated('history');
        for (let n = 10; n < 40; n += 1) await put(`more-${n}`, n, [`Song ${n}: the cellars of the ${n}th castle are empty.`]);

        expect(Math.abs((await rated('history')) - before)).toBeLessThan(0.1);
        expect(await rated('history')).toBeGreaterThan(await rated('nameless'));
      });

      it('in traditional characters finds it too', async () => {
        expect((await hybrid('黑豹隊的防守攔截')).hits[0]).toMatchObject({ docId: 'football', acrossLanguages: true });
      });

      it('does not come before text that answers in its own language', async () => {
        await put('wine-zh', 5, ['这个地区的葡萄酒要在酒窖里存放十年。']);
        const { hits } = await hybrid('葡萄酒存放在哪里');
        expect(hits[0]).toMatchObject({ docId: 'wine-zh', acrossLanguages: false });
        expect(new Set(hits.map((hit) => hit.docId)).size).toBe(hits.length);
        expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).toSorted((a, b) => b - a));
      });

      it('keeps to the filter, and pages show every hit once', async () => {
        expect((await hybrid('黑豹队的防守', { filter: { docIds: ['law', 'wine'] } })).hits.map((hit) => hit.docId)).not.toContain(
          'football',
        );
        for (let n = 10; n < 30; n += 1) await put(`more-${n}`, n, [`${intercepted} It was game ${n} of the season.`]);
        const whole = await hybrid('黑豹队的防守拦截', { topK: 40 });
        const pages = [];
        for (let offset = 0; offset < 40; offset += 5) pages.push(...(await hybrid('黑豹队的防守拦截', { topK: 5, offset })).hits);
        expect(pages).toEqual(whole.hits);
        expect(whole.total).toBeGreaterThanOrEqual(whole.hits.length);
      });

      it('finds nothing that was removed, and what was put in since', async () => {
        await hybrid('黑豹队的防守拦截');
        await index.remove('football', 50);
        expect((await hybrid('黑豹队的防守拦截')).hits.map((hit) => hit.docId)).not.toContain('football');
        await put('again', 51, [intercepted]);
        expect((await hybrid('黑豹队的防守拦截')).hits[0]).toMatchObject({ docId: 'again' });
      });

      it('is translated in the mode hybrid only', async () => {
        for (const mode of ['keyword', 'vector'] as const)
          expect((await search('黑豹队的防守拦截', { mode })).hits.filter((hit) => hit.acrossLanguages)).toEqual([]);
      });
    });

    it('decides a race between replace and revoke once', async () => {
      for (let n = 1; n <= 20; n++) {
        const [replaced, revoked] = await Promise.all([put(`r${n}`, n, ['race']), index.revoke(`r${n}`, nth(n))]);
        expect([replaced, revoked]).toBeOneOf([
          ['ok', 'committed'],
          ['revoked', 'ok'],
        ]);
        expect((await index.info(`r${n}`)) !== null).toBe(replaced === 'ok');
      }
    });
  });
}
