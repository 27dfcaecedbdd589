/**
 * The inverted index: immutable segments, each the postings of some documents, like Lucene's. A document's postings are
 * written as one small segment in the transaction that makes it visible; segments of like size are merged later, so that
 * writing stays flat and a search looks into few of them (at most about 7 for each factor of 8 in size).
 *
 * Rows number the chunks of a segment from 0. `runs` says which: triples of document id, first chunk id, chunks.
 */
import type { IndexDatabase } from '../sqlite/database.ts';
import { sweepLater } from '../sqlite/unlisted.ts';
import {
  BlockWriter,
  type Block,
  countMax,
  encodeTerm,
  hasTerms,
  listAt,
  placeInBlock,
  type PostingList,
  type PostingPlace,
  PostingWriter,
  termsOfBlock,
  ByteWriter,
  ByteReader,
} from './posting-blocks.ts';
import type { ChunkTerms } from '../analysis/chunk-terms.ts';
import { KeptList, type UnpackedList, UnpackedLists, unpackedBytesMax, unpackedRowsMin } from './unpacked.ts';

/** Segments of one size class that are merged together. */
export const mergeWidth = 8;
/**
 * Chunks of the smallest class; classes grow by `mergeWidth`. With 64 a document of one chunk was written five times before it was in a segment of
 * that size; with 1 a search would have a class more to look through.
 */
const smallestClassChunks = 8;
/** Bytes of new postings written in one transaction of a merge, and words looked at in one step of it, so that others get their turn. */
const mergeBatchBytes = 512 * 1024;
const mergeStepWords = 20_000;
/** Blocks of a merged segment that are dropped with it; where there are more, they are swept later. */
const droppedBlocksMax = 32;
/** Segments made since, after which an unfinished merge counts as dead. */
const deadAfterSegments = 5000;

export type Run = { readonly document: number; readonly firstChunk: number; readonly chunks: number; readonly firstRow: number };

/** A segment as it is stored: what a reader keeps of it, its postings in blocks, and its words. */
export type StoredSegment = {
  readonly chunks: number;
  /** Terms of all its rows together. */
  readonly length: number;
  readonly runs: Uint8Array;
  readonly lengths: Uint8Array;
  /** Made as they are asked for, once. */
  readonly blocks: Iterable<Block>;
  /** Null where it has none. */
  readonly words: Uint8Array | null;
};

/** A segment but for the ids that its document and chunks get. */
export type SegmentParts = Pick<StoredSegment, 'blocks' | 'words'> & { readonly lengths: Uint16Array };

/**
 * Collects chunks, whose rows are numbered as they come, and packs their postings. Memory: 8 bytes a posting, and the
 * terms: a writer for each of them takes several times that where most are numbers that stand once. At most 2 ** 28 chunks.
 */
export class SegmentBuilder {
  readonly #ids = new Map<string, number>();
  /** Of each posting, in the order of rows: its term, and row and count as `PostingWriter` packs them. */
  #terms = new Uint32Array(1024);
  #postings = new Uint32Array(1024);
  #count = 0;
  readonly #words = new Set<string>();
  readonly #lengths: number[] = [];

  get chunks(): number {
    return this.#lengths.length;
  }

  add(chunk: ChunkTerms): void {
    const row = this.#lengths.length;
    this.#reserve(this.#count + chunk.terms.size);
    for (const [term, count] of chunk.terms) {
      let id = this.#ids.get(term);
      if (id === undefined) this.#ids.set(term, (id = this.#ids.size));
      this.#terms[this.#count] = id;
      this.#postings[this.#count++] = row * 16 + Math.min(count, countMax);
    }
    for (const word of chunk.words) this.#words.add(word);
    this.#lengths.push(chunk.length);
  }

  /** What was added. The blocks are to be asked for once, before more is added. */
  parts(): SegmentParts {
    const lengths = Uint16Array.from(this.#lengths, (length) => Math.min(length, 0xffff));
    return { lengths, blocks: packed(this.#lists()), words: encodeWords([...this.#words].sort()) };
  }

  /** What was added, as the segment of this document. */
  build(document: number, firstChunk: number): StoredSegment {
    return segmentOf(this.parts(), document, firstChunk);
  }

  *#lists(): Generator<[string, PostingList]> {
    const { starts, postings } = this.#byTerm();
    for (const term of [...this.#ids.keys()].sort()) {
      const id = this.#ids.get(term)!;
      const writer = new PostingWriter();
      for (let at = starts[id]!; at < starts[id + 1]!; at++) writer.add(postings[at]! >>> 4, postings[at]! & 15);
      yield [term, writer.list()];
    }
  }

  /** The postings of each term together, rows ascending: counted, then put where they belong. */
  #byTerm(): { starts: Uint32Array; postings: Uint32Array } {
    const starts = new Uint32Array(this.#ids.size + 1);
    for (let at = 0; at < this.#count; at++) starts[this.#terms[at]! + 1]!++;
    for (let id = 0; id < this.#ids.size; id++) starts[id + 1]! += starts[id]!;
    const next = starts.slice();
    const postings = new Uint32Array(this.#count);
    for (let at = 0; at < this.#count; at++) postings[next[this.#terms[at]!]!++] = this.#postings[at]!;
    return { starts, postings };
  }

  #reserve(count: number): void {
    if (count <= this.#terms.length) return;
    const size = Math.max(count, this.#terms.length * 2);
    const [terms, postings] = [new Uint32Array(size), new Uint32Array(size)];
    terms.set(this.#terms);
    postings.set(this.#postings);
    [this.#terms, this.#postings] = [terms, postings];
  }
}

/** The parts as the segment of this document. */
export function segmentOf({ lengths, blocks, words }: SegmentParts, document: number, firstChunk: number): StoredSegment {
  return { ...describeRows([{ document, firstChunk, chunks: lengths.length, firstRow: 0 }], lengths), blocks, words };
}

/** Several parts of one document, in the order of their chunks, as one. */
export function mergedPostings(parts: readonly SegmentParts[]): SegmentParts {
  const sources = parts.map(({ lengths, words, blocks }, id) => ({
    ...describeRows([{ document: 0, firstChunk: 0, chunks: lengths.length, firstRow: 0 }], lengths),
    id,
    words,
    terms: termsOfBlocks(blocks),
  }));
  const { lengths, blocks, words } = mergeStored(sources, new Set());
  return { lengths: decodeLengths(lengths), blocks: blocks as Iterable<Block>, words: encodeWords(words) };
}

function* termsOfBlocks(blocks: Iterable<Block>): Generator<[string, PostingList]> {
  for (const { data } of blocks) yield* termsOfBlock(data);
}

/** Puts a segment into the index, under an id that was taken for it where blocks of it are there. Call inside a write transaction. */
export function insertSegment(
  database: IndexDatabase,
  collection: string,
  segment: StoredSegment,
  taken: number | null = null,
): void {
  const { id } = database.run(
    'INSERT INTO segment(id, collection, chunks, length, runs, lengths) VALUES (?, ?, ?, ?, ?, ?)',
    taken,
    collection,
    segment.chunks,
    segment.length,
    segment.runs,
    segment.lengths,
  );
  for (const block of segment.blocks) insertBlock(database, id, block);
  insertWords(database, id, segment.words);
  database.run('UPDATE collection SET merge_due = 1 WHERE name = ?', collection);
}

/** Where the blocks of segments are read. */
export interface BlockSource {
  get(id: number): Uint8Array;
  /** Of what was read, the lists that are asked for again and again. */
  readonly lists: UnpackedLists;
}

/** Blocks read lately, up to so many bytes; block ids are never used again, so a block never goes out of date. */
export class BlockCache implements BlockSource {
  readonly lists: UnpackedLists = new UnpackedLists(unpackedBytesMax);
  readonly #database: IndexDatabase;
  readonly #bytesMax: number;
  readonly #blocks = new Map<number, Uint8Array>();
  #bytes = 0;

  constructor(database: IndexDatabase, bytesMax: number) {
    this.#database = database;
    this.#bytesMax = bytesMax;
  }

  /** Of the blocks that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: number): Uint8Array {
    let data = this.#blocks.get(id);
    if (data === undefined) {
      data = this.#database.get('SELECT data FROM posting_block WHERE id = ?', id)!['data'] as Uint8Array;
      this.#bytes += data.length;
    } else {
      this.#blocks.delete(id);
    }
    this.#blocks.set(id, data);
    this.#shrink();
    return data;
  }

  /** Lets go of blocks that nobody will ask for again. */
  forget(ids: readonly number[]): void {
    for (const id of ids) {
      this.#bytes -= this.#blocks.get(id)?.length ?? 0;
      this.#blocks.delete(id);
    }
  }

  #shrink(): void {
    for (const [id, data] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#blocks.delete(id);
      this.#bytes -= data.length;
    }
  }
}

/** What a reader reads of a segment once. */
export type SegmentHead = {
  readonly id: number;
  readonly runs: Uint8Array;
  readonly lengths: Uint8Array;
  /** In any order. */
  readonly blocks: readonly { readonly id: number; readonly first: string }[];
};

/** The segment of this id, which must be listed. Call inside a read transaction. */
export function readSegment(database: IndexDatabase, cache: BlockCache, id: number): Segment {
  const row = database.get('SELECT runs, lengths FROM segment WHERE id = ?', id)!;
  const blocks = database.all('SELECT id, first FROM posting_block WHERE segment = ?', id);
  const head = {
    id,
    runs: row['runs'] as Uint8Array,
    lengths: row['lengths'] as Uint8Array,
    blocks: blocks.map((block) => ({ id: block['id'] as number, first: block['first'] as string })),
  };
  return new Segment(head, cache, () => wordsOf(database, id));
}

/** In which block of a segment a term is, by its id, and where there. */
export type TermPlace = PostingPlace & { readonly block: number };

/** One segment as a reader keeps it: where its blocks are, its rows' lengths and documents. The postings stay on the disk. */
export class Segment {
  readonly id: number;
  readonly chunks: number;
  readonly lengths: Uint16Array;
  readonly runs: readonly Run[];
  /** The lowest and the highest number of its documents. */
  readonly documents: { readonly first: number; readonly last: number };
  /** 1 for rows whose documents are still there; null while all are. */
  live: Uint8Array | null = null;
  liveChunks: number;
  /** Terms of all live rows together. */
  liveLength: number;
  /** Its distinct words, in order. */
  readonly words: () => string[];
  readonly #source: BlockSource;
  readonly #firsts: string[];
  readonly #blocks: number[];
  readonly #runOf = new Map<number, Run[]>();
  /** Of terms that were asked for since rows were hidden last: counting them goes through their postings. */
  readonly #liveRows = new Map<string, number>();

  constructor(head: SegmentHead, source: BlockSource, words: () => string[]) {
    this.id = head.id;
    this.words = words;
    this.#source = source;
    this.lengths = decodeLengths(head.lengths);
    this.chunks = this.lengths.length;
    this.liveChunks = this.chunks;
    this.liveLength = sum(this.lengths);
    this.runs = decodeRuns(head.runs);
    const numbers = this.runs.map(({ document }) => document);
    this.documents = { first: least(numbers), last: -least(numbers.map((number) => -number)) };
    for (const run of this.runs) this.#runOf.set(run.document, [...(this.#runOf.get(run.document) ?? []), run]);
    this.#blocks = head.blocks.map((block) => block.id);
    this.#firsts = head.blocks.map((block) => block.first);
    sortTogether(this.#firsts, this.#blocks);
  }

  /** Ids of the blocks of its postings. */
  get blocks(): readonly number[] {
    return this.#blocks;
  }

  /** The postings of a term. One block of about 16 KiB, or of the list's length, is read unless it was read lately. */
  find(term: string): PostingList | null {
    const place = this.placeOf(term);
    return place ? this.listAt(term, place) : null;
  }

  /** Where they are; null for a term that it has not, undefined where that is not at hand yet. */
  placeOf(term: string): TermPlace | null | undefined {
    const at = lastNotAfter(this.#firsts, term);
    if (at < 0) return null;
    const block = this.#blocks[at]!;
    const data = this.#source.get(block);
    if (!hasTerms(data)) return undefined;
    const place = placeInBlock(data, encodeTerm(term));
    return place === null ? null : { ...place, block };
  }

  /** The postings of a term, which are in this place; null where they are not at hand yet. Of a list that is kept unpacked no block is read. */
  listAt(term: string, place: TermPlace): PostingList | null {
    const kept = place.rows < unpackedRowsMin ? null : this.#source.lists.kept(this.#keyOf(term));
    if (kept !== null) return new KeptList(place, kept);
    const data = this.#source.get(place.block);
    return hasTerms(data) ? listAt(data, place) : null;
  }

  /** The same postings where they are gone through quickest; null for a list that is short or not asked for again and again. */
  unpacked(term: string, list: PostingList): UnpackedList | null {
    if (list instanceof KeptList) return list.unpacked;
    return list.rows < unpackedRowsMin ? null : this.#source.lists.get(this.#keyOf(term), list);
  }

  #keyOf(term: string): string {
    return `${this.id} ${term}`;
  }

  /** How many rows that are still there have the term, whose postings these are. */
  liveRowsOf(term: string, list: PostingList): number {
    if (this.live === null) return list.rows;
    const known = this.#liveRows.get(term);
    if (known !== undefined) return known;
    const rows = countAmong(list, this.live);
    if (this.#liveRows.size >= countedTermsMax) this.#liveRows.clear();
    this.#liveRows.set(term, rows);
    return rows;
  }

  /** Hides the rows of a document that was removed. Safe twice. */
  hide(document: number): void {
    this.#liveRows.clear();
    for (const { firstRow, chunks } of this.runsOf(document)) {
      this.live ??= new Uint8Array(this.chunks).fill(1);
      for (let row = firstRow; row < firstRow + chunks; row++) {
        this.liveChunks -= this.live[row]!;
        this.liveLength -= this.live[row]! * this.lengths[row]!;
        this.live[row] = 0;
      }
    }
  }

  runsOf(document: number): readonly Run[] {
    return this.#runOf.get(document) ?? [];
  }

  /** The run that holds a row. */
  runAt(row: number): Run {
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runs[middle]!.firstRow <= row) low = middle;
      else high = middle - 1;
    }
    return this.runs[low]!;
  }
}

/** Terms whose live rows a segment remembers. */
const countedTermsMax = 10_000;

/** Of many numbers: to spread them over the arguments of `Math.min` would overflow the stack. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((lowest, number) => Math.min(lowest, number), Infinity);
}

/** How many rows of a list are among these, which have 1. About 3 ns a posting. */
export function countAmong(list: PostingList, rows: Uint8Array): number {
  return list instanceof KeptList ? countUnpacked(list.unpacked, rows) : countPacked(list.bytes, rows);
}

function countUnpacked({ postings }: UnpackedList, rows: Uint8Array): number {
  let [row, count] = [0, 0];
  for (let at = 0; at < postings.length; at++) {
    const posting = postings[at]!;
    row += posting >>> 4;
    // Of what only shortens the way the count is 0.
    if ((posting & 15) > 0) count += rows[row]!;
  }
  return count;
}

function countPacked(bytes: Uint8Array, rows: Uint8Array): number {
  const end = bytes.length;
  let [at, row, count] = [0, 0, 0];
  while (at < end) {
    let byte = bytes[at++]!;
    let value = byte & 127;
    let shift = 7;
    while (byte > 127) {
      byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      shift += 7;
    }
    row += value >>> 4;
    count += rows[row]!;
  }
  return count;
}

/** Segments of a collection that are listed now. */
export function segmentIds(database: IndexDatabase, collection: string): number[] {
  return database.all('SELECT id FROM segment WHERE collection = ? ORDER BY id', collection).map((row) => row['id'] as number);
}

/**
 * The ids of segments to merge next, all of one collection, or null when nothing is due. Costs what has got segments since it was asked
 * last, however many collections there are.
 */
export function mergeDue(database: IndexDatabase): number[] | null {
  for (;;) {
    const due = database.get('SELECT name FROM collection WHERE merge_due = 1 LIMIT 1');
    if (due === undefined) return null;
    const ids = chooseMerge(listed(database, due['name'] as string));
    if (ids !== null) return ids;
    // Looked at once more where nobody can add a segment in between.
    database.tidy(() => {
      if (chooseMerge(listed(database, due['name'] as string)) === null)
        database.run('UPDATE collection SET merge_due = 0 WHERE name = ?', due['name']!);
    });
  }
}

function listed(database: IndexDatabase, collection: string): Listed[] {
  const rows = database.all('SELECT id, chunks FROM segment WHERE collection = ? ORDER BY id', collection);
  return rows.map((row) => ({ id: row['id'] as number, chunks: row['chunks'] as number }));
}

type Listed = { readonly id: number; readonly chunks: number };

/** Which of the listed segments to merge next, by their sizes, at most so many, with at most so many chunks together; null when nothing is due. */
export function chooseMerge(segments: readonly Listed[], chunksMax = Infinity, segmentsMax = Infinity): number[] | null {
  const classes = Map.groupBy(segments, ({ chunks }) => sizeClass(chunks));
  for (const [, members] of [...classes].sort(([a], [b]) => a - b)) {
    const ids = members.length < mergeWidth ? [] : within(members.slice(0, segmentsMax), chunksMax);
    if (ids.length > 1) return ids;
  }
  return null;
}

function within(segments: readonly Listed[], chunksMax: number): number[] {
  let sum = 0;
  return segments.filter(({ chunks }) => (sum += chunks) <= chunksMax).map(({ id }) => id);
}

function sizeClass(chunks: number): number {
  return Math.max(0, Math.ceil(Math.log(chunks / smallestClassChunks) / Math.log(mergeWidth)));
}

/**
 * Replaces segments by one without the rows of removed documents, step by step: between two of them other work may be done. The new
 * blocks are written in small transactions that nobody sees; the last one lists the new segment and drops the old ones. Returns false
 * when another process was faster.
 */
export function* mergeSegments(database: IndexDatabase, ids: readonly number[]): Generator<void, boolean> {
  const plan = database.read(() => planMerge(database, ids));
  if (plan === null) return false;
  const segment = database.tidy(() => reserveSegment(database));
  const batch: Block[] = [];
  let batchBytes = 0;
  const writeBatch = (): void => {
    database.tidy(() => {
      for (const block of batch) insertBlock(database, segment, block);
    });
    batch.length = 0;
    batchBytes = 0;
  };
  const blocks = new BlockWriter((block) => {
    batch.push(block);
    batchBytes += block.data.length;
  });
  for (const merged of mergedTerms(plan, (id) => termsOfSegment(database, id))) {
    if (merged !== null) blocks.add(...merged);
    if (batchBytes < mergeBatchBytes) continue;
    writeBatch();
    yield;
  }
  blocks.flush();
  writeBatch();
  const lists: string[][] = [];
  for (const id of ids) {
    lists.push(wordsOf(database, id));
    yield;
  }
  const words = new WordWriter();
  let looked = 0;
  for (const word of mergedWords(lists)) {
    words.add(word);
    if (++looked % mergeStepWords === 0) yield;
  }
  return database.tidy(() => switchSegments(database, plan, segment, words.take()));
}

type MergePlan = { readonly inputs: readonly MergeInput[]; readonly runs: readonly Run[]; readonly lengths: Uint16Array };
type CollectionPlan = MergePlan & { readonly collection: string };
type MergeInput = {
  readonly id: number;
  readonly base: number;
  /** New row by old row, −1 for removed ones; null when all rows stay and only move up by `base`. */
  readonly rows: Int32Array | null;
  readonly documentsGone: readonly number[];
};

function planMerge(database: IndexDatabase, ids: readonly number[]): CollectionPlan | null {
  const rows = ids.map((id) => database.get('SELECT id, collection, runs, lengths FROM segment WHERE id = ?', id));
  if (rows.includes(undefined)) return null;
  const collection = rows[0]!['collection'] as string;
  return { ...planOf(rows as unknown as MergeSource[], removedFrom(database, collection)), collection };
}

/** Documents of a collection that are gone, but whose rows still lie in segments. */
export function removedFrom(database: IndexDatabase, collection: string): Set<number> {
  const rows = database.all('SELECT document FROM removed WHERE collection = ?', collection);
  return new Set(rows.map((row) => row['document'] as number));
}

/** A segment to be merged, as it is stored. */
export type MergeSource = { readonly id: number; readonly runs: Uint8Array; readonly lengths: Uint8Array };

/** The terms of a segment with their postings, in order. Null says that the next ones are not in memory yet: read them, and ask again. */
export type TermSource = Iterator<[string, PostingList] | null>;

/** What several segments become, as far as it is small, and its blocks, to be asked for once. */
export type MergedSegment = Omit<StoredSegment, 'blocks' | 'words'> & {
  /** Null where a source said null. */
  readonly blocks: Iterable<Block | null>;
  /** The distinct words, in order. */
  readonly words: Iterable<string>;
  /** Documents whose rows were left out: they need not be remembered any more. */
  readonly documentsGone: readonly number[];
};

/**
 * Several segments as one, without the rows of the documents that are gone. Memory: what is small of the sources, and one list of
 * postings; the rest is made as the blocks are asked for.
 */
export function mergeStored(
  sources: readonly (MergeSource & { readonly words: Uint8Array | null; readonly terms: TermSource })[],
  gone: ReadonlySet<number>,
): MergedSegment {
  const plan = planOf(sources, gone);
  const termsOf = new Map(sources.map((source) => [source.id, source.terms]));
  return {
    ...describeRows(plan.runs, plan.lengths),
    blocks: packed(mergedTerms(plan, (id) => termsOf.get(id)!)),
    words: mergedWords(sources.map((source) => wordsIn(source.words))),
    documentsGone: plan.inputs.flatMap((input) => input.documentsGone),
  };
}

/** What share of a stored segment's rows belong to documents that are gone. */
export function goneShare(runs: Uint8Array, gone: ReadonlySet<number>): number {
  let [all, dead] = [0, 0];
  for (const run of decodeRuns(runs)) {
    all += run.chunks;
    if (gone.has(run.document)) dead += run.chunks;
  }
  return all === 0 ? 0 : dead / all;
}

function packed(terms: Iterable<[string, PostingList]>): Iterable<Block>;
function packed(terms: Iterable<[string, PostingList] | null>): Iterable<Block | null>;
function* packed(terms: Iterable<[string, PostingList] | null>): Iterable<Block | null> {
  const full: Block[] = [];
  const writer = new BlockWriter((block) => full.push(block));
  for (const entry of terms) {
    if (entry === null) yield null;
    else writer.add(...entry);
    yield* full.splice(0);
  }
  writer.flush();
  yield* full;
}

function planOf(sources: readonly MergeSource[], gone: ReadonlySet<number>): MergePlan {
  const inputs: MergeInput[] = [];
  const runs: Run[] = [];
  const lengths: number[] = [];
  for (const source of sources) {
    const { id } = source;
    const old = decodeRuns(source.runs);
    const oldLengths = decodeLengths(source.lengths);
    const base = lengths.length;
    const moved = new Int32Array(oldLengths.length).fill(-1);
    const documentsGone: number[] = [];
    for (const run of old) {
      if (gone.has(run.document)) {
        documentsGone.push(run.document);
        continue;
      }
      runs.push({ ...run, firstRow: lengths.length });
      for (let i = 0; i < run.chunks; i++) {
        moved[run.firstRow + i] = lengths.length;
        lengths.push(oldLengths[run.firstRow + i]!);
      }
    }
    inputs.push({ id, base, rows: documentsGone.length === 0 ? null : moved, documentsGone });
  }
  return { inputs, runs, lengths: Uint16Array.from(lengths) };
}

function* mergedTerms(plan: MergePlan, termsOf: (segment: number) => TermSource): Generator<[string, PostingList] | null> {
  const cursors = plan.inputs.map((input) => ({ input, terms: termsOf(input.id), head: null as string | null, list: emptyList }));
  for (const cursor of cursors) yield* advance(cursor);
  for (;;) {
    let smallest: string | null = null;
    for (const { head } of cursors) if (head !== null && (smallest === null || head < smallest)) smallest = head;
    if (smallest === null) return;
    const writer = new PostingWriter();
    for (const cursor of cursors) {
      if (cursor.head !== smallest) continue;
      copyPostings(cursor.list, cursor.input, writer);
      yield* advance(cursor);
    }
    if (writer.rows > 0) yield [smallest, writer.list()];
  }
}

const emptyList: PostingList = { rows: 0, lastRow: 0, bytes: new Uint8Array() };

/** On to the next term, or to the end, where `head` is null. */
function* advance(cursor: { terms: TermSource; head: string | null; list: PostingList }): Generator<null> {
  let next = cursor.terms.next();
  for (; !next.done && next.value === null; next = cursor.terms.next()) yield null;
  if (next.done || next.value === null) cursor.head = null;
  else [cursor.head, cursor.list] = next.value;
}

function copyPostings(list: PostingList, input: MergeInput, writer: PostingWriter): void {
  if (input.rows === null) {
    writer.addAll(list, input.base);
    return;
  }
  const reader = new ByteReader(list.bytes);
  let row = 0;
  while (!reader.done()) {
    const value = reader.varint();
    row += Math.floor(value / 16);
    const moved = input.rows[row]!;
    if (moved >= 0) writer.add(moved, value % 16);
  }
}

function* termsOfSegment(database: IndexDatabase, segment: number): Generator<[string, PostingList]> {
  const blocks = database.all('SELECT id, first FROM posting_block WHERE segment = ?', segment);
  const firsts = blocks.map((block) => block['first'] as string);
  const ids = blocks.map((block) => block['id'] as number);
  sortTogether(firsts, ids);
  for (const id of ids) {
    const row = database.get('SELECT data FROM posting_block WHERE id = ?', id);
    if (row !== undefined) yield* termsOfBlock(row['data'] as Uint8Array);
  }
}

function switchSegments(database: IndexDatabase, plan: CollectionPlan, segment: number, words: Uint8Array | null): boolean {
  const ids = plan.inputs.map((input) => input.id);
  const marks = ids.map(() => '?').join(',');
  const listed = database.get(`SELECT count(*) AS n FROM segment WHERE id IN (${marks})`, ...ids)!['n'];
  const ours = database.run('DELETE FROM merge WHERE segment = ?', segment).changes === 1;
  if (listed !== ids.length || !ours) {
    database.run('DELETE FROM posting_block WHERE segment = ?', segment);
    return false;
  }
  const { chunks, length, runs, lengths } = describeRows(plan.runs, plan.lengths);
  if (chunks > 0) {
    database.run(
      'INSERT INTO segment(id, collection, chunks, length, runs, lengths) VALUES (?, ?, ?, ?, ?, ?)',
      segment,
      plan.collection,
      chunks,
      length,
      runs,
      lengths,
    );
    insertWords(database, segment, words);
  }
  for (const id of ids) dropBlocks(database, id);
  database.run(`DELETE FROM segment WHERE id IN (${marks})`, ...ids);
  for (const input of plan.inputs) {
    for (const document of input.documentsGone) database.run('DELETE FROM removed WHERE document = ?', document);
  }
  bumpChange(database, plan.collection);
  return true;
}

function dropBlocks(database: IndexDatabase, segment: number): void {
  const { n } = database.get('SELECT count(*) AS n FROM posting_block WHERE segment = ?', segment) as { n: number };
  if (n > droppedBlocksMax) return sweepLater(database, { segment });
  for (const table of ['posting_block', 'word_block']) database.run(`DELETE FROM ${table} WHERE segment = ?`, segment);
}

/** Tells readers of a collection that its segments or documents are other ones now. No number is given twice, whatever is removed. */
export function bumpChange(database: IndexDatabase, collection: string): void {
  database.run("UPDATE meta SET value = value + 1 WHERE key = 'change'");
  database.run("UPDATE collection SET change = (SELECT value FROM meta WHERE key = 'change') WHERE name = ?", collection);
}

/** The number of the last change to a collection; 0 where nothing ever was. */
export function changeOf(database: IndexDatabase, collection: string): number {
  return (database.get('SELECT change FROM collection WHERE name = ?', collection)?.['change'] as number | undefined) ?? 0;
}

/** An id for a segment in the making, and a note that its blocks belong to somebody. */
function reserveSegment(database: IndexDatabase): number {
  const { id } = database.run("INSERT INTO segment(collection, chunks, length, runs, lengths) VALUES ('', 0, 0, x'', x'')");
  database.run('DELETE FROM segment WHERE id = ?', id);
  database.run('INSERT INTO merge(segment) VALUES (?)', id);
  return id;
}

/**
 * Drops what merges left behind whose process died. A merge counts as dead once so many segments were made after it; if it
 * wakes all the same, it finds its note gone and gives up. True when there was one.
 */
export function dropDeadMerges(database: IndexDatabase): boolean {
  const newest = (database.get("SELECT seq FROM sqlite_sequence WHERE name = 'segment'")?.['seq'] as number | undefined) ?? 0;
  const dead = database.all('SELECT segment FROM merge WHERE segment < ?', newest - deadAfterSegments);
  if (dead.length === 0) return false;
  return database.tidy(() => {
    for (const row of dead) {
      database.run('DELETE FROM posting_block WHERE segment = ?', row['segment'] as number);
      database.run('DELETE FROM merge WHERE segment = ?', row['segment'] as number);
    }
    return true;
  });
}

function describeRows(runs: readonly Run[], lengths: Uint16Array): Pick<StoredSegment, 'chunks' | 'length' | 'runs' | 'lengths'> {
  return { chunks: lengths.length, length: sum(lengths), runs: encodeRuns(runs), lengths: encodeLengths(lengths) };
}

function sum(values: Uint16Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A block of a segment's postings, which nobody sees before the segment is listed. */
export function insertBlock(database: IndexDatabase, segment: number, block: Block): void {
  database.run('INSERT INTO posting_block(segment, first, data) VALUES (?, ?, ?)', segment, block.first, block.data);
}

function insertWords(database: IndexDatabase, segment: number, words: Uint8Array | null): void {
  if (words !== null) database.run('INSERT INTO word_block(segment, data) VALUES (?, ?)', segment, words);
}

/** Words in order, each as the units it shares with the one before and the rest. */
export class WordWriter {
  readonly #out = new ByteWriter();
  #before = '';

  add(word: string): void {
    let shared = 0;
    while (shared < this.#before.length && shared < word.length && this.#before[shared] === word[shared]) shared++;
    this.#out.varint(shared);
    this.#out.text(word.slice(shared));
    this.#before = word;
  }

  /** Null for none. */
  take(): Uint8Array | null {
    return this.#out.length === 0 ? null : this.#out.take();
  }
}

function encodeWords(words: Iterable<string>): Uint8Array | null {
  const writer = new WordWriter();
  for (const word of words) writer.add(word);
  return writer.take();
}

function wordsOf(database: IndexDatabase, segment: number): string[] {
  const rows = database.all('SELECT data FROM word_block WHERE segment = ?', segment);
  return rows.flatMap((row) => decodeWords(row['data'] as Uint8Array));
}

/** The words of a stored segment. */
export function decodeWords(bytes: Uint8Array | null): string[] {
  return [...wordsIn(bytes)];
}

function* wordsIn(bytes: Uint8Array | null): Generator<string> {
  if (bytes === null) return;
  const reader = new ByteReader(bytes);
  let before = '';
  while (!reader.done()) {
    const shared = reader.varint();
    before = before.slice(0, shared) + reader.text();
    yield before;
  }
}

/** The distinct words of several segments, in order. */
function* mergedWords(lists: readonly Iterable<string>[]): Generator<string> {
  const cursors = lists.map((list) => list[Symbol.iterator]());
  const heads = cursors.map((cursor) => cursor.next());
  for (;;) {
    let smallest: string | null = null;
    for (const head of heads) if (!head.done && (smallest === null || head.value < smallest)) smallest = head.value;
    if (smallest === null) return;
    yield smallest;
    for (const [i, head] of heads.entries()) if (!head.done && head.value === smallest) heads[i] = cursors[i]!.next();
  }
}

function encodeRuns(runs: readonly Run[]): Uint8Array {
  const out = new ByteWriter();
  for (const run of runs) {
    out.varint(run.document);
    out.varint(run.firstChunk);
    out.varint(run.chunks);
  }
  return out.take();
}

function decodeRuns(bytes: Uint8Array): Run[] {
  const reader = new ByteReader(bytes);
  const runs: Run[] = [];
  let firstRow = 0;
  while (!reader.done()) {
    const document = reader.varint();
    const firstChunk = reader.varint();
    const chunks = reader.varint();
    runs.push({ document, firstChunk, chunks, firstRow });
    firstRow += chunks;
  }
  return runs;
}

function encodeLengths(lengths: Uint16Array): Uint8Array {
  return new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength);
}

function decodeLengths(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}

/** Sorts `keys` as JavaScript compares strings, and `values` with them (SQLite orders by UTF-8, which differs past U+FFFF). */
function sortTogether(keys: string[], values: number[]): void {
  const order = keys.map((_, index) => index).sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
  const sortedKeys = order.map((index) => keys[index]!);
  const sortedValues = order.map((index) => values[index]!);
  for (let i = 0; i < keys.length; i++) {
    keys[i] = sortedKeys[i]!;
    values[i] = sortedValues[i]!;
  }
}

function lastNotAfter(firsts: readonly string[], term: string): number {
  let low = -1;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firsts[middle]! <= term) low = middle;
    else high = middle - 1;
  }
  return low;
}
