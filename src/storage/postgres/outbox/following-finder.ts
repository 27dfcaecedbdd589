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
import {
  type AskIndex,
  type Candidate,
  createFollowingAnswers,
  type IndexAnswer,
} from '../../../search/following/following-answers.ts';
import type { FollowingSearcher } from '../../../search/following/following-searcher.ts';
import type { Reranker } from '../../../search/models/reranker.ts';
import type { Stop } from '../../../search/stop.ts';
import type { Database } from '../database.ts';
import type { DocumentReader } from '../index/document-reader.ts';
import type { Finder } from '../index/finder.ts';
import { documentOfChunk, type IndexCatalog } from '../index/index-catalog.ts';
import { docKeyOf } from '../jobs.ts';
import { checkSearcher } from './check-searcher.ts';
import { createFollower } from './follower.ts';
import { createOutbox, fillingCountedMax } from './outbox.ts';

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

const waitMsDefault = 10_000;
/** A question that has waited so long helps: no worker may be there to tell the searcher. */
const helpsAfterMs = 30;
const pauseMsMax = 50;
/** Questions that find what is gone are asked again: a version that took its place may not have been findable in that moment. */
const triesMax = 5;

/** `isLast`: whatever is found is the answer. */
type Try = { readonly isLast: boolean; readonly stop: Stop };

/** `isLate`: what is gone was found, or what may be found was not told yet. */
type Answer = Omit<IndexAnswer, 'notice'> & { readonly isLate: boolean };
const nothing: Answer = { hits: [], total: 0, shownFor: null, foreign: 0, isLate: false };

const sentences = {
  behind: 'The search engine is behind: the latest changes may be missing from these results; search again in a moment.',
  filling: (count: number) =>
    `The search engine is being filled: ${count > fillingCountedMax ? `more than ${fillingCountedMax}` : count} documents may be missing from these results.`,
};

/** @throws AppError `unavailable` where the embedder makes vectors, which a searcher does not keep. */
export function createFollowingFinder(reader: DocumentReader, catalog: IndexCatalog, options: FollowingFinderOptions): Finder {
  const { database, searcher, embedder, waitMs = waitMsDefault } = options;
  if (embedder.dimensions > 0)
    throw new AppError('unavailable', 'SEARCHER: this searcher searches by keyword only; remove EMBEDDER, or SEARCHER.');
  const outbox = createOutbox(database);
  const follower = createFollower({ ...options, outbox, looks: options.merges });
  const answers = createFollowingAnswers(searcher, options);
  const search = answers.searchBy(ask);

  async function note(document: number, docId: string): Promise<void> {
    await outbox.note({ document, docKey: docKeyOf(docId) }, collectionOf(docId));
    await database.afterCommit(() => follower.nudge());
  }

  /** How many changes before this moment the searcher has not taken in after all. */
  async function untilTold(collection: string, deadline: number, stop: Stop): Promise<number> {
    const last = await outbox.last(collection);
    if (last === null) return 0;
    const started = performance.now();
    for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      const left = await outbox.countUpTo(collection, last);
      const now = performance.now();
      if (left === 0 || now > deadline) return left;
      if (now - started > helpsAfterMs) follower.nudge();
      await pause(pauseMs);
      stop.check();
    }
  }

  async function ask(...[query, , stop]: Parameters<AskIndex>): Promise<IndexAnswer> {
    const deadline = performance.now() + waitMs;
    for (let tries = 1; ; tries += 1) {
      const behind = await untilTold(query.collection ?? defaultCollection, deadline, stop);
      const isLast = behind > 0 || tries === triesMax || performance.now() > deadline;
      // Before and after: a filling may end while the question is answered, or begin, or both.
      const before = await outbox.filling();
      const { isLate, ...answered } = await askOnce(query, { isLast, stop });
      const after = await outbox.filling();
      const left = Math.max(before.left, after.left);
      if (left > 0 && !isLate) return { ...answered, notice: sentences.filling(left) };
      const isDoubtful = isLate || after.begun !== before.begun;
      if (isDoubtful && !isLast) continue;
      return { ...answered, notice: left > 0 ? sentences.filling(left) : behind > 0 || isDoubtful ? sentences.behind : null };
    }
  }

  /** Of one moment, as far as both lie in one database; those that are filtered one at a time, as `filtered` wants it. */
  function askOnce(query: SearchQuery, how: Try): Promise<Answer> {
    const isAll = Object.keys(query.filter).length === 0;
    const once = (): Promise<Answer> => {
      how.stop.check();
      return database.snapshot(() => answer(query, isAll, how), how.stop.signal);
    };
    return isAll ? once() : reader.inTurn(once);
  }

  async function answer(query: SearchQuery, isAll: boolean, { isLast, stop }: Try): Promise<Answer> {
    const collection = query.collection ?? defaultCollection;
    const documents = isAll ? null : await reader.filtered(query.filter, collection);
    const lacksSome = documents !== null && (await outbox.hasSome(documents, collection));
    if (lacksSome && !isLast) return { ...nothing, isLate: true };
    const view = {
      chunks: async () => (await catalog.stats([collection])).get(collection)?.chunks ?? 0,
      candidates: (ids: readonly number[]) => candidatesOf(ids, collection),
    };
    const { rows, ranked, total, hasGone } = await answers.answer(query, { collection, documents, view, stop });
    const hits = ranked === null ? [] : await reader.toHits(rows, ranked, query.context ?? 0);
    return { hits, total, shownFor: ranked?.shownFor ?? null, foreign: 0, isLate: lacksSome || hasGone };
  }

  /** Those of documents that are there now. */
  async function candidatesOf(ids: readonly number[], collection: string): Promise<Candidate[]> {
    const entries = await catalog.findById([...new Set(ids.map(documentOfChunk))]);
    const there = ids.filter((id) => {
      const document = entries.get(documentOfChunk(id))?.document;
      return document !== undefined && collectionOf(document.docId) === collection;
    });
    const chunks = await reader.readChunks(there);
    return [...chunks].map(([id, { text, section, context = '' }]) => {
      const document = documentOfChunk(id);
      const { title } = entries.get(document)!.document;
      return { id, document, title, text, context, section: JSON.parse(section) as string[] };
    });
  }

  return {
    begin: ({ id, document }) => ({ take: () => Promise.resolve(), done: () => note(id, document.docId) }),
    drop: ({ id, document }) => note(id, document.docId),
    added: () => undefined,
    tidy: () => undefined,
    search,
    tables: ['outbox', ...options.tables],
    outbox,
    check: (repair) => checkSearcher({ database, searcher, outbox }, repair),
    async close() {
      await follower.close();
      await searcher.close();
    },
  };
}
