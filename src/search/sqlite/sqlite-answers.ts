/** The hits of a question, out of an index file. */
import { createViews } from '../index/views.ts';
import { BlockCache } from '../index/segments.ts';
import { defaultCollection } from '../../documents/document-name.ts';
import type { Embedder } from '../../embed/embedder.ts';
import { filteredDocuments, findDocument, findDocumentById } from './catalog.ts';
import type { IndexDatabase } from './database.ts';
import type { DocumentTables } from '../index/document-table.ts';
import type { SqliteTable } from './sqlite-table.ts';
import type { ChunkPage, SearchHit, SearchQuery } from '../document-index.ts';
import { chunkCharactersMax } from '../../chunk/chunk.ts';
import {
  type ChunkRow,
  headingsOf,
  type HitReader,
  hitReader,
  placeOf,
  textsAround,
  toHit,
  toListedChunk,
} from '../ranking/hits.ts';
import { pageInSteps, type PageRow } from '../ranking/page.ts';
import { runSteps } from '../ranking/ranking.ts';
import type { Scored } from '../ranking/scorer.ts';
import type { AskIndex, IndexAnswer } from '../ranking/searcher.ts';
import type { Stop } from '../stop.ts';
import { followDatabase, Snapshot } from '../index/snapshot.ts';
import { VectorSnapshot } from '../index/vectors.ts';
import type { Dictionary } from '../translation/dictionary.ts';
import { Vocabulary } from '../analysis/vocabulary.ts';

/** What a thread keeps of one collection. */
type View = {
  readonly snapshot: Snapshot;
  readonly refresh: () => void;
  readonly vectors: VectorSnapshot;
  readonly vocabulary: Vocabulary;
};

/** No more than a hit shows of a text that was cut before chunks had a bound; as bytes, since SQLite's own `substr` ends at a NUL. */
const textBytesMax = 3 * chunkCharactersMax;
const beginning = `CASE WHEN octet_length(text) <= ${textBytesMax} THEN text ELSE substr(CAST(text AS BLOB), 1, ${textBytesMax}) END AS text`;

const rebuilding = 'The index is being rebuilt from the stored documents; some of them are not found yet.';

/** Posting blocks kept in memory, by each thread. */
const blockBytesMax = 64 * 1024 * 1024;

/** Answers from the index file, each time as it is at that moment. */
export function answersOf(
  database: IndexDatabase,
  embedder: Embedder,
  { tables, dictionary }: { tables: DocumentTables<SqliteTable>; dictionary: () => Dictionary | null },
): AskIndex {
  const blocks = new BlockCache(database, blockBytesMax);
  const views = createViews((collection): View => {
    const snapshot = new Snapshot();
    return {
      snapshot,
      refresh: followDatabase(database, collection, snapshot, blocks),
      vectors: new VectorSnapshot(database, collection, embedder),
      vocabulary: new Vocabulary(),
    };
  });

  return (query, vector, stop) =>
    database.read(() => {
      const collection = query.collection ?? defaultCollection;
      const view = views.of(collection);
      view.refresh();
      return { ...answer(view, query, vector, stop), notice: notice(), foreign: foreign(collection) };
    });

  function answer(
    { snapshot, vocabulary, vectors }: View,
    query: SearchQuery,
    vector: Float32Array | null,
    stop: Stop,
  ): Pick<IndexAnswer, 'hits' | 'total' | 'shownFor'> {
    const documents = filteredDocuments(database, query.filter, { collection: query.collection ?? defaultCollection, tables });
    const textOf = remembering(readText);
    const steps = pageInSteps({
      text: ({ chunkId }) => textOf(chunkId),
      headings,
      snapshot,
      vocabulary,
      near: vector === null ? null : (limit) => vectors.nearest(vector, limit, documents),
      asked: query,
      allowed: snapshot.allowed(documents),
      dictionary,
    });
    const { rows, ranked, total } = runSteps(stop, steps);
    const question = { reader: hitReader(ranked), textOf, context: query.context ?? 0 };
    return { hits: rows.map((row) => readHit(row, question)), total, shownFor: ranked.shownFor };
  }

  function readText(chunkId: number): string {
    return decode(database.get(`SELECT ${beginning} FROM chunk WHERE id = ?`, chunkId)!['text'] as string | Uint8Array);
  }

  function headings(scored: Scored): string {
    return headingsOf(database.get('SELECT section FROM chunk WHERE id = ?', scored.chunkId) as { section: string });
  }

  function readHit(hit: PageRow, { reader, textOf, context }: HitQuestion): SearchHit {
    const { scored } = hit;
    const entry = findDocumentById(database, scored.segment.runAt(scored.row).document)!;
    const sql = 'SELECT start, "end", page, page_end, section FROM chunk WHERE id = ?';
    const row = database.get(sql, scored.chunkId) as unknown as Omit<ChunkRow, 'text'>;
    const found = toHit(hit, entry, { ...row, text: textOf(scored.chunkId) }, reader);
    const alsoIn = hit.alsoIn.length === 0 ? {} : { alsoIn: hit.alsoIn.map(placeOfRow) };
    return { ...found, ...alsoIn, ...(context === 0 ? {} : { context: textsAround(scored.chunkId, entry, context, textOf) }) };
  }

  function placeOfRow(scored: Scored): NonNullable<SearchHit['alsoIn']>[number] {
    const { document } = findDocumentById(database, scored.segment.runAt(scored.row).document)!;
    const page = database.get('SELECT page FROM chunk WHERE id = ?', scored.chunkId)!['page'] as number | null;
    return placeOf(document, { page });
  }

  function notice(): string | null {
    const state = database.get("SELECT value FROM meta WHERE key = 'rebuild'")?.['value'];
    return state === 'damaged' || state === 'running' ? rebuilding : null;
  }

  function foreign(collection: string): number {
    if (embedder.dimensions === 0) return 0;
    // Two ranges of an index, where `<>` would read every document.
    const sql =
      'SELECT (SELECT count(*) FROM document WHERE collection = ? AND embedder < ?) + ' +
      '(SELECT count(*) FROM document WHERE collection = ? AND embedder > ?) AS n';
    return database.get(sql, collection, embedder.id, collection, embedder.id)!['n'] as number;
  }
}

type HitQuestion = { readonly reader: HitReader; readonly textOf: (chunkId: number) => string; readonly context: number };

/** Texts that are kept while a question is answered: those of its best answers are read for several reasons. */
const rememberedTexts = 64;

/** The same, with the first texts that were asked for read once. */
function remembering(textOf: (chunkId: number) => string): (chunkId: number) => string {
  const known = new Map<number, string>();
  return (chunkId) => {
    const text = known.get(chunkId) ?? textOf(chunkId);
    if (known.size < rememberedTexts) known.set(chunkId, text);
    return text;
  };
}

/** Some chunks of a document, in order; null for an unknown one. */
export function listChunks(database: IndexDatabase, docId: string, from: number, limit: number): ChunkPage | null {
  const entry = findDocument(database, docId);
  if (entry === null) return null;
  const { document, firstChunk } = entry;
  const range = [firstChunk + from, firstChunk + Math.min(from + limit, document.chunks)];
  const sql = `SELECT start, "end", page, page_end, section, ${beginning} FROM chunk WHERE id >= ? AND id < ? ORDER BY id`;
  const rows = database.all(sql, ...range) as unknown as (Omit<ChunkRow, 'text'> & { text: string | Uint8Array })[];
  return { document, chunks: rows.map((row, i) => toListedChunk({ ...row, text: decode(row.text) }, from + i)) };
}

/** What was cut between the bytes of a character is left off. */
function decode(text: string | Uint8Array): string {
  return typeof text === 'string' ? text : new TextDecoder('utf-8', { ignoreBOM: true }).decode(text, { stream: true });
}
