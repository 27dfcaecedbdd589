/**
 * Files and index in PostgreSQL for an engine that keeps tasks elsewhere, on any number of hosts. Who lives, that engine says:
 * whoever it declares dead loses its row in `owner`, and with it the right to write.
 */
import { createPostgresCollectionStore } from './collections.ts';
import { join, resolve } from 'node:path';
import type { Embedder } from '../../embed/embedder.ts';
import type { Logger } from '../../logger.ts';
import type { DocumentIndex } from '../../search/document-index.ts';
import type { Reranker } from '../../search/models/reranker.ts';
import { isTaskId, type TaskId } from '../../tasks/task.ts';
import { AppError } from '../../errors.ts';
import type { ContentFiles, ContentOwner } from '../content-files.ts';
import { createUnneeded } from '../unneeded.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { type Blobs, createBlobs } from './blobs.ts';
import { createObjectBlobs, openObjects } from './object-blobs.ts';
import { type Database, openDatabase, requirePooler } from './database.ts';
import { clearWork } from './engine.ts';
import { createPostgresFileStore } from './file-store.ts';
import { createPostgresIndex } from './index/postgres-index.ts';
import { requireSchema } from './schema.ts';
import { joinStanding } from './standing.ts';
import { openSearcher, type SearcherName } from './searchers.ts';

export type PostgresContent = {
  readonly files: ContentFiles;
  readonly index: DocumentIndex;
  /** For what front ends keep beside the engine. Closed with `files`. */
  readonly database: Database;
};

export type PostgresContentOptions = {
  readonly url: string;
  readonly owner: ContentOwner;
  readonly role: 'frontend' | 'worker';
  /** For files that are being worked on; emptied of what dead processes left. */
  readonly workDir: string;
  readonly embedder: Embedder;
  readonly reranker?: Reranker | null;
  readonly translates?: boolean;
  readonly connectionsMax: number;
  /** The database itself, where `url` leads to a pooler that shares connections between transactions. */
  readonly directUrl?: string;
  /** Of standbys that are asked questions. */
  readonly readUrls?: readonly string[];
  /** Where files lie instead of the database. */
  readonly objects?: ObjectStore | null;
  /** Who finds; '' or absent: whoever the database notes. */
  readonly searcher?: SearcherName | '';
  readonly logger: Logger;
};

/** A transaction that its process left alone for so long is undone. */
const idleMs = 5000;
/** Payloads are kept as parts of a document of this name, which is no SHA-256. */
const payloads = 'payload';

/**
 * Opens a database whose tables `migrate` has made.
 * @throws AppError `unavailable`: the database cannot be reached, or its tables are of another version.
 */
export async function openPostgresContent(options: PostgresContentOptions): Promise<PostgresContent> {
  const { url, connectionsMax, logger, readUrls = [] } = options;
  const pooled = (options.directUrl ?? '') !== '';
  const database = await openDatabase({ url, pooled, connectionsMax, readUrls, idleInTransactionMs: idleMs, logger });
  try {
    await requireSchema(database);
    if (pooled) await requirePooler(database);
    return await openOn(database, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openOn(database: Database, options: PostgresContentOptions): Promise<PostgresContent> {
  const { owner, role } = options;
  const root = resolve(options.workDir);
  await clearWork(database, root);
  const objects = await openObjects(database, options.objects);
  const { follows, standing } = await joinStanding(database, async (standing) => {
    await requireSchema(database);
    const follows = await openSearcher(database, options.searcher ?? '');
    await database.run('INSERT INTO owner(id, role) VALUES ($1, $2)', [owner.id, payloads]);
    return { follows, standing };
  });
  const workDir = join(root, owner.id);
  const blobs =
    objects === null
      ? createBlobs(database)
      : createObjectBlobs({ ...objects, database, owner: owner.id, workDir, logger: options.logger });
  const files = createPostgresFileStore({
    database,
    membership: { id: owner.id, lost: owner.lost, fence },
    blobs,
    workDir,
    payloadSql: `SELECT blob.id, bytes FROM document_part JOIN blob ON blob.id = blob WHERE doc_key = '${payloads}' AND version = $1`,
  });
  const index = createPostgresIndex({ database, ...options, follows, standing, merges: role === 'worker' });
  const unneeded = createUnneeded();
  /** Versions that this process has begun to publish and neither settled nor taken back: of a document that is moved no task says so. */
  const onTheirWay = new Set<TaskId>();
  let closed = false;

  /** Until the end of the transaction nobody can take the right to write. */
  async function fence(): Promise<void> {
    const rows = owner.lost.aborted ? [] : await database.query('SELECT 1 FROM owner WHERE id = $1 FOR KEY SHARE', [owner.id]);
    if (rows.length === 0)
      throw new AppError('unavailable', 'RAG service is not ready.', { cause: 'this process was declared dead' });
  }

  return {
    database,
    index,
    files: {
      ...files,
      collections: createPostgresCollectionStore(database),
      async keep(receipt, taskId) {
        const store = files.keep(receipt);
        try {
          await database.transaction(async () => {
            await fence();
            const blob = await store();
            const sql = `INSERT INTO document_part(doc_key, version, part, blob) VALUES ('${payloads}', $1, 'original', $2)`;
            await database.run(sql, [taskId, blob]);
          });
        } catch (error) {
          files.unkeep(receipt);
          throw error;
        }
      },
      async publish(docId, version, scratchDir) {
        onTheirWay.add(version.id);
        try {
          await files.publish(docId, version, scratchDir);
        } catch (error) {
          onTheirWay.delete(version.id);
          throw error;
        }
      },
      async settle(docId, version) {
        await files.settle(docId, version);
        onTheirWay.delete(version.id);
      },
      async unpublish(docId, version) {
        await files.unpublish(docId, version);
        onTheirWay.delete(version);
      },
      dropPayload: (taskId) => dropVersion(database, blobs, payloads, taskId),
      fence: (dead) => forget(dead),
      async sweep({ isAlive, needsPayload, isLive }) {
        for (const row of await database.query('SELECT id FROM owner WHERE role = $1', [payloads]))
          if (!(await isAlive(row['id'] as string))) await forget(row['id'] as string);
        await blobs.sweep();
        const isUnneeded = unneeded.look();
        return sweepVersions(database, blobs, async (id, isPayload) =>
          isPayload ? !isUnneeded(id, await needsPayload(id)) : onTheirWay.has(id) || isLive(id),
        );
      },
      makeRoom: (work) => work(),
      async state() {
        try {
          await database.query('SELECT 1');
          return await blobs.state();
        } catch (error) {
          return { state: 'unusable', reason: `the database does not answer: ${(error as Error).message}` };
        }
      },
      async close() {
        if (closed) return;
        closed = true;
        await files.close();
        await forget(owner.id).catch(() => undefined);
        await database.close();
      },
    },
  };

  /** Waits for what it is just writing; then removes what it has begun. */
  async function forget(id: string): Promise<void> {
    await database.run('DELETE FROM owner WHERE id = $1', [id]);
    await blobs.sweep(id);
  }
}

/** Of a part whose version its document does not show. */
const notCurrentSql = `NOT EXISTS (
    SELECT 1 FROM current_version AS c WHERE c.doc_key = part.doc_key AND c.version = part.version)`;

/** Removes versions that are not current and not needed. Returns how many. */
async function sweepVersions(
  database: Database,
  blobs: Blobs,
  isNeeded: (id: TaskId, isPayload: boolean) => Promise<boolean>,
): Promise<number> {
  let removed = 0;
  const sql = `SELECT DISTINCT doc_key, version FROM document_part AS part WHERE ${notCurrentSql}`;
  for (const row of await database.query(sql)) {
    const [docKey, version] = [row['doc_key'] as string, row['version'] as TaskId];
    if (await isNeeded(version, docKey === payloads)) continue;
    await dropVersion(database, blobs, docKey, version);
    removed += 1;
  }
  return removed;
}

/** Unless the document shows it by now: whether its task needs it was asked elsewhere, and the task may have completed meanwhile. */
async function dropVersion(database: Database, blobs: Blobs, docKey: string, version: TaskId): Promise<void> {
  if (!isTaskId(version)) return;
  await database.transaction(async () => {
    const sql = `DELETE FROM document_part AS part WHERE doc_key = $1 AND version = $2 AND ${notCurrentSql} RETURNING blob`;
    const rows = await database.query(sql, [docKey, version]);
    await blobs.drop(rows.map((row) => row['blob'] as number));
  });
}
