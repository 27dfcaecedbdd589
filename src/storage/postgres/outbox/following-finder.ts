/**
 * Who finds where a searcher follows: decisions are noted in the outbox, questions are asked of the searcher, and what it finds is shown
 * as the arbiter has it now. So an answer never shows what was replaced or removed, however far behind the searcher is; and a question waits
 * a while until the searcher has what was decided before it was asked, so that whoever uploads a document finds it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { collectionOf, defaultCollection } from '../../../documents/document-name.ts';
import type { Embedder } from '../../../embed/embedder.ts';
import { AppError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import type { SearchQuery } from '../../../search/document-index.ts';
import { type Candidate, createTermCutter, searchedAmong } from '../../../search/following/candidates.ts';
import { CollectionFacts } from '../../../search/following/collection-facts.ts';
import type { FollowingSearcher, Found, TermQuestion } from '../../../search/following/following-searcher.ts';
import { drive, rankedCandidates, readQuestion, type Scene, wideningTerms } from '../../../search/following/following-ranking.ts';
import type { Reranker } from '../../../search/models/reranker.ts';
import { type AskIndex, type IndexAnswer, Searcher } from '../../../search/ranking/searcher.ts';
import { poolSize } from '../../../search/ranking/diversify.ts';
import { dictionaryFor } from '../../../search/translation/dictionary.ts';
import type { Stop } from '../../../search/stop.ts';
import type { Database } from '../database.ts';
import type { DocumentReader } from '../index/document-reader.ts';
import type { Finder } from '../index/finder.ts';
import { documentOfChunk, type IndexCatalog } from '../index/index-catalog.ts';
import { createFollower } from './follower.ts';
import { createOutbox } from './outbox.ts';

export type FollowingFinderOptions = {
  readonly database: Database;
  readonly searcher: FollowingSearcher;
  /** Tables that the searcher has in this database. */
  readonly tables: readonly string[];
  readonly embedder: Embedder;
  readonly reranker?: Reranker | null;
  readonly translates?: boolean;
  /** Whether this process looks into the outbox by itself. */
  readonly merges: boolean;
  /** How long a question waits for the searcher. */
  readonly waitMs?: number;
  readonly logger: Logger;
};

const waitMsDefault = 5000;
/** A question that has waited so long helps: no worker may be there to tell the searcher. */
const helpsAfterMs = 30;
const pauseMsMax = 50;
/** Chunks of the other language that are looked at. */
const acrossMax = 128;

const nothing: Omit<IndexAnswer, 'notice'> = { hits: [], total: 0, shownFor: null, foreign: 0 };

const sentences = {
  behind: (count: number) => `The search engine is behind: ${count} changes are not in these results yet; ask again in a moment`,
  filling: (count: number) => `The search engine is being filled: ${count} documents may be missing from these results`,
};

/** @throws AppError `unavailable` where the embedder makes vectors, which a searcher does not keep. */
export function createFollowingFinder(reader: DocumentReader, catalog: IndexCatalog, options: FollowingFinderOptions): Finder {
  const { database, searcher, embedder, waitMs = waitMsDefault } = options;
  if (embedder.dimensions > 0)
    throw new AppError('unavailable', 'SEARCHER: it finds by words and keeps no vectors: remove EMBEDDER, or SEARCHER.');
  const outbox = createOutbox(database);
  const follower = createFollower({ ...options, outbox, looks: options.merges });
  const dictionary = dictionaryFor(options.translates);
  const asking = new Searcher(ask, embedder, options.reranker ?? null);

  async function note(document: number, docId: string): Promise<void> {
    await outbox.note(document, collectionOf(docId));
    await database.afterCommit(() => follower.nudge());
  }

  /** How many changes before this moment the searcher has not taken in after all. */
  async function untilTold(collection: string, stop: Stop): Promise<number> {
    const last = await outbox.last(collection);
    if (last === null) return 0;
    const started = performance.now();
    for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      const left = await outbox.countUpTo(collection, last);
      const waited = performance.now() - started;
      if (left === 0 || waited > waitMs) return left;
      if (waited > helpsAfterMs) follower.nudge();
      await pause(pauseMs);
      stop.check();
    }
  }

  async function ask(...[query, , stop]: Parameters<AskIndex>): Promise<IndexAnswer> {
    const collection = query.collection ?? defaultCollection;
    const behind = await untilTold(collection, stop);
    const filling = await outbox.filling();
    const isAll = Object.keys(query.filter).length === 0;
    const documents = isAll
      ? null
      : await reader.inTurn(() => database.snapshot(() => reader.filtered(query.filter, collection), stop.signal));
    stop.check();
    const notice = behind > 0 ? sentences.behind(behind) : filling > 0 ? sentences.filling(filling) : null;
    return { ...(await database.snapshot(() => answer(query, collection, documents, stop), stop.signal)), notice };
  }

  async function answer(
    query: SearchQuery,
    collection: string,
    documents: ReadonlySet<number> | null,
    stop: Stop,
  ): Promise<Omit<IndexAnswer, 'notice'>> {
    const chunks = (await catalog.stats([collection])).get(collection)?.chunks ?? 0;
    if (chunks === 0) return nothing;
    const facts = new CollectionFacts(searcher, collection);
    const cut = createTermCutter();
    const known = new Map<number, Candidate>();
    const limit = poolSize((query.groupBy === undefined ? 1 : 4) * (query.offset + query.topK));
    const find = (terms: TermQuestion['terms'], wanted: number): Promise<Found> =>
      searcher.find({ collection, terms, documents, limit: wanted });

    const sceneOf = async (ids: readonly number[]): Promise<Scene> => {
      stop.check();
      const candidates = await candidatesOf(ids, collection, known);
      const searched = searchedAmong(candidates, await cut(candidates), chunks, facts);
      const text = (id: number): string => known.get(id)!.text;
      const headings = (id: number): string => known.get(id)!.section.join('\n');
      return { searched, facts, text, headings, dictionary };
    };

    const blank = await sceneOf([]);
    const { own, across } = await drive(blank, stop, readQuestion(query, blank));
    if (own.length + across.length === 0) return nothing;
    facts.assumeMarkers();
    let found = await find(own, limit);
    if (query.mode !== 'keyword' && found.total > 0) {
      const first = await sceneOf(found.chunks);
      const wider = await drive(first, stop, wideningTerms(query, first));
      if (wider.length > 0) found = await find([...own, ...wider], limit);
    }
    const translated = await find(across, acrossMax);
    const last = await sceneOf([...new Set([...found.chunks, ...translated.chunks])]);
    const { rows, ranked, total } = await drive(last, stop, rankedCandidates(query, last));
    const hits = await reader.toHits(rows, ranked, query.context ?? 0);
    const all = query.minRelevance === undefined ? Math.max(total, found.total) : total;
    return { hits, total: all, shownFor: ranked.shownFor, foreign: 0 };
  }

  /** Those of documents that are there now. */
  async function candidatesOf(ids: readonly number[], collection: string, known: Map<number, Candidate>): Promise<Candidate[]> {
    const fresh = ids.filter((id) => !known.has(id));
    const entries = await catalog.findById([...new Set(fresh.map(documentOfChunk))]);
    const there = fresh.filter((id) => {
      const document = entries.get(documentOfChunk(id))?.document;
      return document !== undefined && collectionOf(document.docId) === collection;
    });
    for (const [id, { text, section, context = '' }] of await reader.readChunks(there)) {
      const document = documentOfChunk(id);
      const { title } = entries.get(document)!.document;
      known.set(id, { id, document, title, text, context, section: JSON.parse(section) as string[] });
    }
    return ids.flatMap((id) => known.get(id) ?? []);
  }

  return {
    begin: ({ id, document }) => ({ take: () => Promise.resolve(), done: () => note(id, document.docId) }),
    drop: ({ id, document }) => note(id, document.docId),
    added: () => undefined,
    tidy: () => undefined,
    search: (query, stop) => asking.search(query, stop),
    tables: ['outbox', ...options.tables],
    async close() {
      await follower.close();
      await searcher.close();
    },
  };
}
