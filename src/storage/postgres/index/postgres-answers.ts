/**
 * The hits of a question, out of the tables. Ranking is the same code as over an index file, and each step of it wants its data at
 * once: where something is not in memory it finds nothing and notes what it looked for; that is read, and the step done again,
 * until it lacked nothing. What is costly, adding up scores, is done once.
 */
import { createViews } from '../../../search/index/views.ts';
import { defaultCollection } from '../../../documents/document-name.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Embedder } from '../../../embed/embedder.ts';
import type { SearchQuery } from '../../../search/document-index.ts';
import { headingsOf } from '../../../search/ranking/hits.ts';
import { pageInSteps } from '../../../search/ranking/page.ts';
import { tuning } from '../../../search/ranking/ranking.ts';
import type { RankingSteps } from '../../../search/ranking/steps.ts';
import type { AskIndex, IndexAnswer } from '../../../search/ranking/searcher.ts';
import { type BlockSource, decodeWords, Segment } from '../../../search/index/segments.ts';
import { UnpackedLists, unpackedBytesMax } from '../../../search/index/unpacked.ts';
import { Snapshot } from '../../../search/index/snapshot.ts';
import type { Stop } from '../../../search/stop.ts';
import { candidateCount, VectorBits } from '../../../search/index/vector-bits.ts';
import { byNearness, type Near, similarity } from '../../../search/index/vectors.ts';
import type { Dictionary } from '../../../search/translation/dictionary.ts';
import { Vocabulary } from '../../../search/analysis/vocabulary.ts';
import type { Database, Row } from '../database.ts';
import type { DocumentReader } from './document-reader.ts';
import type { StoredChunk } from './stored-chunk.ts';
import { unpacked } from './packed.ts';
import { wordsIn } from './segment-store.ts';

/** Posting blocks, and texts of chunks, that are kept from one search to the next. */
const blockBytesMax = 128 * 1024 * 1024;
const textBytesMax = 16 * 1024 * 1024;
/** A step asks for more in a handful of rounds at most: words, and the terms that they stand for. */
const roundsMax = 50;

/** What is kept of one collection. */
type View = {
  readonly collection: string;
  readonly snapshot: Snapshot;
  readonly vocabulary: Vocabulary;
  readonly bits: VectorBits;
  embedded: ReadonlySet<number>;
  /** Its segments and removals as they were read last. */
  state: string;
};

export function createPostgresAnswers(
  database: Database,
  reader: DocumentReader,
  embedder: Embedder,
  dictionary: () => Dictionary | null,
): AskIndex {
  const blocks = new BlockStore(emptyBlock, (data) => data.length, blockBytesMax);
  const chunks = new Store<StoredChunk>(
    { text: '', section: '[]', start: 0, end: 0, page: null, page_end: null },
    ({ text, section }) => 2 * (text.length + section.length),
    textBytesMax,
  );
  const words = new Map<number, string[]>();
  const views = createViews((collection): View => ({
    collection,
    snapshot: new Snapshot(),
    vocabulary: new Vocabulary(),
    bits: new VectorBits(embedder.dimensions),
    embedded: new Set(),
    state: '',
  }));

  return (query, vector, stop) =>
    reader.inTurn(() => {
      stop.check();
      return database.reading(() => ask(query, vector, stop), stop.signal);
    });

  async function ask(query: SearchQuery, vector: Float32Array | null, stop: Stop): Promise<IndexAnswer> {
    const view = views.of(query.collection ?? defaultCollection);
    const { snapshot, vocabulary } = view;
    await refresh(view);
    const documents = await reader.filtered(query.filter, view.collection);
    const near = vector === null ? null : await nearest(view, vector, tuning.nearestChunks, documents);
    const { rows, ranked, total } = await drive(
      stop,
      snapshot,
      pageInSteps({
        text: (scored) => chunks.get(scored.chunkId).text,
        headings: (scored) => headingsOf(chunks.get(scored.chunkId)),
        snapshot,
        vocabulary,
        near: near === null ? null : (limit) => near.slice(0, limit),
        asked: query,
        allowed: snapshot.allowed(documents),
        dictionary,
      }),
    );
    const hits = await reader.toHits(rows, ranked, query.context ?? 0, (id) => chunks.known(id));
    return { hits, total, shownFor: ranked.shownFor, notice: null, foreign: await countForeign(view.collection) };
  }

  async function drive<T>(stop: Stop, snapshot: Snapshot, ranking: RankingSteps<T>): Promise<T> {
    let step = ranking.next();
    while (!step.done) {
      await nextTurn();
      stop.check();
      step = ranking.next(await whole(snapshot, step.value));
    }
    return step.value;
  }

  /** Does a step until nothing was missing. */
  async function whole<T>(snapshot: Snapshot, work: () => T): Promise<T> {
    for (let round = 0; round < roundsMax; round += 1) {
      try {
        const value = work();
        if (blocks.missing.size + chunks.missing.size === 0) return value;
      } catch (error) {
        if (!(error instanceof WordsMissing)) throw error;
        await readWords(snapshot);
      }
      await readMissing();
    }
    throw new Error('a search never had all that it needs');
  }

  async function readMissing(): Promise<void> {
    const [blockIds, chunkIds] = [blocks.takeMissing(), chunks.takeMissing()];
    if (blockIds.length > 0) {
      const rows = await database.query('SELECT id, data FROM posting_block WHERE id = ANY($1::bigint[])', [blockIds]);
      for (const row of rows) blocks.put(row['id'] as number, unpacked(row['data'] as Uint8Array));
    }
    for (const [id, row] of await reader.readChunks(chunkIds)) chunks.put(id, row);
  }

  async function readWords(snapshot: Snapshot): Promise<void> {
    const ids = snapshot.segments.map((segment) => segment.id).filter((id) => !words.has(id));
    const rows = await database.query('SELECT id, words FROM segment WHERE id = ANY($1::bigint[])', [ids]);
    for (const row of rows) words.set(row['id'] as number, decodeWords(wordsIn(row)));
  }

  /** Segments and removals of a collection are all there is to follow; both are few. */
  async function refresh(view: View): Promise<void> {
    const { collection, snapshot } = view;
    blocks.trim();
    chunks.trim();
    words.clear();
    const [row] = await database.query(
      `SELECT array(SELECT id FROM segment WHERE collection = $1 ORDER BY id)::text AS ids,
        (SELECT count(*) || ' ' || coalesce(sum(document), 0) FROM removed WHERE collection = $1) AS removed`,
      [collection],
    );
    const now = `${row!['ids'] as string} ${row!['removed'] as string}`;
    if (now === view.state) return;
    const ids = JSON.parse((row!['ids'] as string).replace('{', '[').replace('}', ']')) as number[];
    const fresh = await readSegments(ids.filter((id) => !snapshot.has(id)));
    const removed = await database.query('SELECT document FROM removed WHERE collection = $1', [collection]);
    for (const gone of snapshot.update(ids, (id) => fresh.get(id)!, new Set(removed.map(documentOf)))) blocks.forget(gone.blocks);
    if (embedder.dimensions > 0) await refreshBits(view);
    view.state = now;
  }

  async function readSegments(ids: readonly number[]): Promise<Map<number, Segment>> {
    const rows = await database.query('SELECT id, runs, lengths FROM segment WHERE id = ANY($1::bigint[])', [ids]);
    const listed = await database.query('SELECT segment, id, first FROM posting_block WHERE segment = ANY($1::bigint[])', [ids]);
    const blocksOf = Map.groupBy(listed, (row) => row['segment'] as number);
    return new Map(
      rows.map((row) => {
        const id = row['id'] as number;
        const heads = (blocksOf.get(id) ?? []).map((block) => ({
          id: block['id'] as number,
          first: JSON.parse(block['first'] as string) as string,
        }));
        const head = { id, runs: row['runs'] as Uint8Array, lengths: row['lengths'] as Uint8Array, blocks: heads };
        return [id, new Segment(head, blocks, () => wordsOf(id))];
      }),
    );
  }

  function wordsOf(id: number): string[] {
    const known = words.get(id);
    if (known === undefined) throw new WordsMissing();
    return known;
  }

  async function refreshBits(view: View): Promise<void> {
    const { bits, embedded, collection } = view;
    const listed = 'SELECT document FROM vector_bits WHERE collection = $1 AND embedder = $2';
    const there = await database.query(listed, [collection, embedder.id]);
    const fresh = there.map(documentOf).filter((document) => !embedded.has(document));
    for (let from = 0; from < fresh.length; from += 500) {
      const sql = 'SELECT document, first_chunk, data FROM vector_bits WHERE document = ANY($1::bigint[]) ORDER BY document';
      for (const row of await database.query(sql, [fresh.slice(from, from + 500)]))
        bits.append(documentOf(row), row['first_chunk'] as number, row['data'] as Uint8Array);
    }
    view.embedded = new Set(there.map(documentOf));
    bits.keepOnly(view.embedded);
  }

  async function nearest(
    { bits }: View,
    query: Float32Array,
    wanted: number,
    documents: ReadonlySet<number> | null,
  ): Promise<Near[]> {
    const candidates = bits.closest(query, candidateCount(wanted), documents);
    const ids = candidates.map((candidate) => candidate.chunkId);
    const rows = await database.query('SELECT chunk, data FROM vector WHERE chunk = ANY($1::bigint[])', [ids]);
    const vectors = new Map(rows.map((row) => [row['chunk'] as number, row['data'] as Uint8Array]));
    const near = candidates.flatMap((candidate) => {
      const data = vectors.get(candidate.chunkId);
      return data === undefined ? [] : [{ ...candidate, similarity: similarity(query, new Float32Array(data.slice().buffer)) }];
    });
    return byNearness(near).slice(0, wanted);
  }

  async function countForeign(collection: string): Promise<number> {
    if (embedder.dimensions === 0) return 0;
    // Two ranges of an index, where `<>` would read every document.
    const of = 'SELECT count(*) FROM document WHERE collection = $1 AND embedder';
    const [row] = await database.query(`SELECT (${of} < $2) + (${of} > $2) AS n`, [collection, embedder.id]);
    return row!['n'] as number;
  }
}

function documentOf(row: Row): number {
  return row['document'] as number;
}

/** The words of segments are not in memory, and nobody may take nothing for all of them: they would be remembered so. */
class WordsMissing extends Error {}

/** A block without any term. */
const emptyBlock = new Uint8Array(4);

/** What was read lately, by id. Says what it was asked for in vain. */
class Store<T> {
  readonly missing = new Set<number>();
  readonly #nothing: T;
  readonly #bytesOf: (value: T) => number;
  readonly #bytesMax: number;
  readonly #values = new Map<number, T>();
  #bytes = 0;

  constructor(nothing: T, bytesOf: (value: T) => number, bytesMax: number) {
    this.#nothing = nothing;
    this.#bytesOf = bytesOf;
    this.#bytesMax = bytesMax;
  }

  get(id: number): T {
    const value = this.#values.get(id);
    if (value === undefined) {
      this.missing.add(id);
      return this.#nothing;
    }
    this.#values.delete(id);
    this.#values.set(id, value);
    return value;
  }

  /** What is there now; asks for nothing. */
  known(id: number): T | undefined {
    return this.#values.get(id);
  }

  put(id: number, value: T): void {
    if (!this.#values.has(id)) this.#bytes += this.#bytesOf(value);
    this.#values.set(id, value);
  }

  takeMissing(): number[] {
    const ids = [...this.missing];
    this.missing.clear();
    return ids;
  }

  /** Lets go of what nobody will ask for again. */
  forget(ids: readonly number[]): void {
    for (const id of ids) {
      const value = this.#values.get(id);
      if (value !== undefined) this.#bytes -= this.#bytesOf(value);
      this.#values.delete(id);
    }
  }

  /** Lets go of what was not used for longest. Not during a search: it would ask again for ever. */
  trim(): void {
    for (const [id, value] of this.#values) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#values.delete(id);
      this.#bytes -= this.#bytesOf(value);
    }
  }
}

/** Blocks, of which nothing is unpacked that was not there. */
class BlockStore extends Store<Uint8Array> implements BlockSource {
  readonly lists: UnpackedLists = new UnpackedLists(unpackedBytesMax);
}
