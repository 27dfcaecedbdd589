/**
 * Who finds in an index of our own: segments of postings and vectors in tables, written in the transaction of the arbiter's decision, and
 * merged later.
 */
import { collectionOf } from '../../../documents/document-name.ts';
import type { Embedder } from '../../../embed/embedder.ts';
import type { Logger } from '../../../logger.ts';
import type { Reranker } from '../../../search/models/reranker.ts';
import { dictionaryFor } from '../../../search/translation/dictionary.ts';
import { Searcher } from '../../../search/ranking/searcher.ts';
import { partsOf, type Postings, PostingsBuilder } from '../../../search/index/postings.ts';
import { mergeWidth, segmentOf } from '../../../search/index/segments.ts';
import type { StagedChunk } from '../../../search/index/staging.ts';
import { signsOf } from '../../../search/index/vector-bits.ts';
import type { Database } from '../database.ts';
import type { DocumentReader } from './document-reader.ts';
import type { Arriving, Finder } from './finder.ts';
import type { CatalogEntry } from './index-catalog.ts';
import { createPostgresAnswers } from './postgres-answers.ts';
import { insertSegment, MergeFailed, mergeSome, renewSome } from './segment-store.ts';

/** After a document, what is to be merged is looked for within this. */
const mergePauseMs = 500;

export type OwnSegmentsOptions = {
  readonly database: Database;
  readonly embedder: Embedder;
  readonly reranker?: Reranker | null;
  /** Whether questions are translated; true when absent. */
  readonly translates?: boolean;
  /** Whether this process merges segments after it has added some. */
  readonly merges: boolean;
  readonly logger: Logger;
};

export function createOwnSegments(reader: DocumentReader, options: OwnSegmentsOptions): Finder {
  const { database, embedder } = options;
  const ask = createPostgresAnswers(database, reader, embedder, dictionaryFor(options.translates));
  const searcher = new Searcher(ask, embedder, options.reranker ?? null);
  const merging = createMerging(options);
  return {
    begin: (entry, postings) => arriving(database, entry, postings),
    async drop({ id, firstChunk, document }) {
      await database.run('DELETE FROM vector WHERE chunk >= $1 AND chunk < $2', [firstChunk, firstChunk + document.chunks]);
      if (document.chunks === 0) return;
      await database.run('INSERT INTO removed(document, collection) VALUES ($1, $2)', [id, collectionOf(document.docId)]);
    },
    added: () => merging.added(),
    tidy: () => merging.start({ renew: true }),
    search: (query, stop) => searcher.search(query, stop),
    tables: ['posting_block', 'segment', 'vector'],
    close: () => merging.close(),
  };
}

function arriving(database: Database, { id, firstChunk, document }: CatalogEntry, postings: Postings | undefined): Arriving {
  const builder = postings === undefined ? new PostingsBuilder(document.title) : null;
  const signs: Uint8Array[] = [];
  return {
    async take(batch) {
      for (const { chunk } of batch) builder?.add(chunk);
      const vectors = batch.flatMap(({ vector }) => (vector === null ? [] : [vector]));
      if (vectors.length === 0) return;
      await insertVectors(database, firstChunk, batch);
      signs.push(signsOf(vectors));
    },
    async done() {
      const collection = collectionOf(document.docId);
      const made = postings ?? builder!.done();
      if (made.chunks > 0) await insertSegment(database, collection, segmentOf(partsOf(made), id, firstChunk));
      if (signs.length === 0) return;
      const sql = 'INSERT INTO vector_bits(document, first_chunk, embedder, data, collection) VALUES ($1, $2, $3, $4, $5)';
      await database.run(sql, [id, firstChunk, document.embedder, Buffer.concat(signs), collection]);
    },
  };
}

async function insertVectors(database: Database, firstChunk: number, batch: readonly StagedChunk[]): Promise<void> {
  const vectors = batch.flatMap(({ chunk, vector }) =>
    vector === null
      ? []
      : [{ id: firstChunk + chunk.index, data: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength) }],
  );
  const sql = 'INSERT INTO vector(chunk, data) SELECT * FROM unnest($1::bigint[], $2::bytea[])';
  await database.run(sql, [vectors.map(({ id }) => id), vectors.map(({ data }) => data)]);
}

/** Merging of segments in the background, one merge at a time in all processes together. */
function createMerging(options: { database: Database; merges: boolean; logger: Logger }): {
  /** A document was: looks what is to be merged after some of them, or a pause. */
  added(): void;
  /** Looks now. `renew`: large segments of which much is gone as well. */
  start(what: { renew: boolean }): void;
  close(): Promise<void>;
} {
  const { database, logger } = options;
  let closed = !options.merges;
  let running: Promise<void> | null = null;
  let again = false;
  let renew = false;
  let added = 0;
  let pause: NodeJS.Timeout | undefined;
  /** Segments whose merge failed: it would fail again. */
  const left = new Set<number>();

  async function mergeAll(): Promise<void> {
    while (again && !closed) {
      again = false;
      const renewing = renew;
      renew = false;
      while (!closed && (await one(mergeSome)));
      while (renewing && !closed && (await one(renewSome)));
    }
  }

  async function one(step: typeof mergeSome): Promise<boolean> {
    try {
      return await step(database, left);
    } catch (error) {
      if (!(error instanceof MergeFailed)) throw error;
      for (const id of error.segments) left.add(id);
      logger.error({ err: error }, 'index segments cannot be merged and stay as they are; searches still find everything');
      return true;
    }
  }

  function start(what: { renew: boolean }): void {
    clearTimeout(pause);
    pause = undefined;
    added = 0;
    again = true;
    renew ||= what.renew;
    if (closed || running !== null) return;
    running = mergeAll()
      .catch((error: unknown) => logger.warn({ err: error }, 'merging index segments is postponed until the next document'))
      .finally(() => (running = null));
  }

  return {
    start,
    added() {
      added += 1;
      if (closed) return;
      if (added >= mergeWidth) start({ renew: false });
      else pause ??= setTimeout(() => start({ renew: false }), mergePauseMs);
    },
    async close() {
      if (pause !== undefined) start({ renew: false });
      closed = true;
      await running;
    },
  };
}
