/**
 * Bytes in the database: uploads are streamed into it, documents are sets of parts that appear in one transaction. Parsers and
 * the index read from the local disk, so what they need is copied into a folder of this process (`work`), gone with it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { callbackify } from 'node:util';
import type { FileKey, FileStore, IncomingReceipt, Receipt } from '../file-store.ts';
import { receiveEach } from '../one-by-one.ts';
import { type DocumentPart, optionalParts } from '../../documents/document-part.ts';
import { AppError } from '../../errors.ts';
import { isTaskId, type TaskId, type Version } from '../../tasks/task.ts';
import { type ArrivingBlob, type Blobs, blobRowBytes } from './blobs.ts';
import type { Database } from './database.ts';
import { docKeyOf } from './jobs.ts';
import type { Membership } from './membership.ts';

export interface PostgresFileStore extends FileStore {
  /** A whole receipt belongs to the caller from now on: to be stored in its transaction, which says as which blob. */
  keep(receipt: Receipt): () => Promise<number>;
  /** Gives a receipt whose keeping failed back to its owner. */
  unkeep(receipt: Receipt): void;
  /** What attempts at a task have left on the local disk. */
  tidy(taskId: TaskId): Promise<void>;
  /** Removes versions that are not current and whose task has ended: what crashes left. Returns how many parts went. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/** Parts of a document no larger than this are stored with each other. */
const togetherBytesMax = 256 * 1024;
/** Copies of documents kept on the local disk at once. */
const copiesMax = 32;

export function createPostgresFileStore(options: {
  database: Database;
  membership: Pick<Membership, 'id' | 'lost' | 'fence'>;
  blobs: Blobs;
  /** A folder of this process alone; it need not exist. */
  workDir: string;
  /** Finds id and size of the blob that is a task's payload. */
  payloadSql?: string;
}): PostgresFileStore {
  const { database, membership, blobs, workDir } = options;
  const { payloadSql = 'SELECT blob.id, bytes FROM task JOIN blob ON blob.id = payload WHERE task.id = $1' } = options;
  const receipts = new WeakSet<Receipt>();
  /** Scratch folders of this process by task; a published version is read from there. */
  const scratches = new Map<TaskId, string[]>();
  const copies = new Map<string, string>();
  let count = 0;
  let closed = false;

  async function blobOf(key: FileKey): Promise<{ blob: number; bytes: number } | null> {
    const id = key.kind === 'payload' ? key.taskId : key.version;
    if (!isTaskId(id)) return null;
    const [row] =
      key.kind === 'payload'
        ? await database.query(payloadSql, [id])
        : await database.query(
            'SELECT blob.id, bytes FROM document_part JOIN blob ON blob.id = blob WHERE doc_key = $1 AND version = $2 AND part = $3',
            [docKeyOf(key.docId), id, key.part],
          );
    return row === undefined ? null : { blob: row['id'] as number, bytes: row['bytes'] as number };
  }

  async function newFolder(name: string): Promise<string> {
    count += 1;
    const path = join(workDir, `${name}.${count}`);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** What fits into one row comes with what is known of it. */
  async function payloadPath(taskId: TaskId): Promise<string | null> {
    if (!isTaskId(taskId)) return null;
    const sql = `SELECT payload.id, payload.bytes, data FROM (${payloadSql}) AS payload
      LEFT JOIN blob_chunk ON blob = payload.id AND seq = 0 AND payload.bytes <= ${blobRowBytes}`;
    const [row] = await database.query(sql, [taskId]);
    if (row === undefined) return null;
    const path = join(await newFolder(`payload.${taskId}`), 'payload');
    const data = row['data'] as Uint8Array | null;
    if (data !== null && data.length === row['bytes']) await writeFile(path, data);
    else await blobs.fetch(row['id'] as number, path);
    return path;
  }

  /** The folder of a version, all parts but the original in it. */
  async function versionFolder(docKey: string, version: TaskId): Promise<string> {
    for (const scratch of scratches.get(version) ?? []) if (existsSync(join(scratch, 'meta.json'))) return scratch;
    const known = copies.get(version);
    if (known !== undefined && existsSync(known)) return known;
    const folder = await newFolder('copying');
    await fetchParts(docKey, version, folder, `AND part <> 'original'`);
    const whole = join(workDir, `version.${version}.${count}`);
    await rename(folder, whole);
    await remember(version, whole);
    return whole;
  }

  async function fetchParts(docKey: string, version: TaskId, folder: string, condition = ''): Promise<void> {
    const sql = `SELECT part, blob FROM document_part WHERE doc_key = $1 AND version = $2 ${condition}`;
    for (const { part, blob } of await database.query(sql, [docKey, version]))
      await blobs.fetch(blob as number, join(folder, part as string));
  }

  /** A version's number, by which later versions remove it: of its other parts, or where it is current. */
  async function ordinalOf(docKey: string, version: TaskId): Promise<number> {
    const sql = `SELECT max(ordinal) AS ordinal FROM (
      SELECT ordinal FROM document_part WHERE doc_key = $1 AND version = $2
      UNION ALL SELECT ordinal FROM current_version WHERE doc_key = $1 AND version = $2) AS known`;
    const [row] = await database.query(sql, [docKey, version]);
    return (row?.['ordinal'] ?? 0) as number;
  }

  async function remember(version: string, folder: string): Promise<void> {
    copies.set(version, folder);
    for (const [old, path] of [...copies].slice(0, Math.max(0, copies.size - copiesMax))) {
      copies.delete(old);
      await rm(path, { recursive: true, force: true });
    }
  }

  async function documentPath(key: Extract<FileKey, { kind: 'document' }>): Promise<string | null> {
    const found = await blobOf(key);
    if (found === null) return null;
    const folder = await versionFolder(docKeyOf(key.docId), key.version);
    const path = join(folder, key.part);
    if (key.part === 'original' && !existsSync(path)) await blobs.fetch(found.blob, path);
    return path;
  }

  /** Within a transaction nothing is done: it would wait for what is outside the database. */
  async function prepare(scratchDir: string): Promise<void> {
    const parts = await readdir(scratchDir).catch(() => []);
    await blobs.prepare(parts.map((part) => join(scratchDir, part)));
  }

  async function publish(docId: string, version: Version, scratchDir: string): Promise<void> {
    await prepare(scratchDir);
    await database.transaction(async () => {
      await membership.fence();
      const docKey = docKeyOf(docId);
      const there = await database.query(`SELECT 1 FROM document_part WHERE doc_key = $1 AND version = $2 LIMIT 1`, [
        docKey,
        version.id,
      ]);
      if (there.length > 0) return;
      const parts = await readdir(scratchDir);
      await storeParts(docKey, version, scratchDir, parts);
      if (parts.includes('original' satisfies DocumentPart)) return;
      const original = `INSERT INTO document_part(doc_key, version, ordinal, part, blob)
        SELECT $2, $1, $3, 'original', payload.id FROM (${payloadSql}) AS payload`;
      await database.run(original, [version.id, docKey, version.ordinal]);
    });
  }

  /** Small ones in one statement. */
  async function storeParts(docKey: string, { id, ordinal }: Version, folder: string, parts: readonly string[]): Promise<void> {
    const prepared = await blobs.storePrepared(parts.map((part) => join(folder, part)));
    const stored = new Map([...prepared].map(([path, blob]) => [basename(path), blob]));
    const others = parts.filter((part) => !stored.has(part));
    const sized = await Promise.all(others.map(async (part) => ({ part, bytes: (await stat(join(folder, part))).size })));
    const [small, large] = [
      sized.filter(({ bytes }) => bytes <= togetherBytesMax),
      sized.filter(({ bytes }) => bytes > togetherBytesMax),
    ];
    const contents = await Promise.all(small.map(({ part }) => readFile(join(folder, part))));
    for (const [at, blob] of (await blobs.storeAll(contents)).entries()) stored.set(small[at]!.part, blob);
    for (const { part } of large) stored.set(part, await blobs.store(join(folder, part)));
    const insert = `INSERT INTO document_part(doc_key, version, ordinal, part, blob)
      SELECT $1, $2, $3, part, blob FROM unnest($4::text[], $5::bigint[]) AS stored(part, blob)`;
    await database.run(insert, [docKey, id, ordinal, [...stored.keys()], [...stored.values()]]);
  }

  /** Removes the parts that a condition on `document_part` names, and the blobs that nothing needs any more. */
  async function dropParts(condition: string, values: readonly unknown[]): Promise<number> {
    const rows = await database.query(`DELETE FROM document_part WHERE ${condition} RETURNING blob`, values);
    await blobs.drop(rows.map((row) => row['blob'] as number));
    return rows.length;
  }

  async function receive({ bytesMax }: { bytesMax: number }): Promise<IncomingReceipt> {
    if (closed || membership.lost.aborted) throw new AppError('unavailable', 'RAG service is not ready.');
    const receipt = new BlobReceipt(blobs.arrive(membership.id), bytesMax);
    receipts.add(receipt);
    return receipt;
  }

  return {
    receive,
    receiveAll: (contents) => receiveEach(receive, contents),
    keep(receipt) {
      assert(
        receipts.has(receipt) && (receipt as BlobReceipt).stream.writableFinished,
        'submit takes a whole receipt of the same engine, once',
      );
      receipts.delete(receipt);
      const own = receipt as BlobReceipt;
      own.kept = true;
      return () => own.store();
    },
    unkeep(receipt) {
      receipts.add(receipt);
      (receipt as BlobReceipt).kept = false;
    },
    localPath: (key) => (key.kind === 'payload' ? payloadPath(key.taskId) : documentPath(key)),
    async open(key, pick) {
      const found = await blobOf(key);
      if (found === null) return null;
      const opened = await blobs.open(found.blob, pick?.(found.bytes) ?? null);
      return opened === null ? null : { stream: opened.stream, bytes: opened.bytes ?? found.bytes };
    },
    async stat(key) {
      const found = await blobOf(key);
      return found === null ? null : { bytes: found.bytes };
    },
    async scratch(taskId) {
      const folder = await newFolder(`scratch.${taskId}`);
      scratches.set(taskId, [...(scratches.get(taskId) ?? []), folder]);
      return folder;
    },
    prepare,
    publish,
    settle: (docId, { id, ordinal }) =>
      database.transaction(async () => {
        const docKey = docKeyOf(docId);
        const sql = `INSERT INTO current_version(doc_key, version, ordinal) VALUES ($1, $2, $3)
          ON CONFLICT (doc_key) DO UPDATE SET version = excluded.version, ordinal = excluded.ordinal
          WHERE (excluded.ordinal, excluded.version) > (current_version.ordinal, current_version.version)`;
        await database.run(sql, [docKey, id, ordinal]);
        const current = 'SELECT ordinal, version FROM current_version WHERE current_version.doc_key = $1';
        await dropParts(`doc_key = $1 AND (ordinal, version) < (${current})`, [docKey]);
      }),
    async mend(docId, version, scratchDir) {
      await prepare(scratchDir);
      await database.transaction(async () => {
        await membership.fence();
        const docKey = docKeyOf(docId);
        const made = await readdir(scratchDir);
        const ordinal = await ordinalOf(docKey, version);
        const surplus = made.includes('content.md') ? optionalParts.filter((part) => !made.includes(part)) : [];
        for (const part of [...made, ...surplus]) {
          await dropParts('doc_key = $1 AND version = $2 AND part = $3', [docKey, version, part]);
        }
        await storeParts(docKey, { id: version, ordinal }, scratchDir, made);
        await database.afterCommit(async () => {
          copies.delete(version);
          scratches.delete(version);
          await blobs.forget(scratchDir);
          await rm(scratchDir, { recursive: true, force: true });
        });
      });
    },
    async withStored(docId, version, look) {
      const folder = await newFolder('checking');
      try {
        await fetchParts(docKeyOf(docId), version, folder);
        return await look(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    unpublish: (docId, version) =>
      database.transaction(async () => {
        const current = 'SELECT version FROM current_version WHERE current_version.doc_key = $1';
        await dropParts(`doc_key = $1 AND version = $2 AND version NOT IN (${current})`, [docKeyOf(docId), version]);
      }),
    remove: (docId, ordinal) =>
      database.transaction(async () => {
        const docKey = docKeyOf(docId);
        await database.run('DELETE FROM current_version WHERE doc_key = $1 AND ordinal < $2', [docKey, ordinal]);
        await dropParts('doc_key = $1 AND ordinal < $2', [docKey, ordinal]);
      }),
    async *documents() {
      for (let after = ''; ;) {
        const sql = 'SELECT doc_key, version FROM current_version WHERE doc_key > $1 ORDER BY doc_key LIMIT 100';
        const rows = await database.query(sql, [after]);
        for (const row of rows) {
          const [docKey, version] = [row['doc_key'] as string, row['version'] as TaskId];
          const folder = await versionFolder(docKey, version);
          if (existsSync(join(folder, 'meta.json'))) yield { folder, version };
          after = docKey;
        }
        if (rows.length < 100) return;
      }
    },
    async tidy(taskId) {
      for (const folder of scratches.get(taskId) ?? []) await blobs.forget(folder);
      scratches.delete(taskId);
      for (const name of await readdir(workDir).catch(() => [])) {
        const [kind, id] = name.split('.');
        if (id === taskId && (kind === 'scratch' || kind === 'payload'))
          await rm(join(workDir, name), { recursive: true, force: true });
      }
    },
    async sweep() {
      const lives = `SELECT 1 FROM task WHERE task.id = document_part.version AND status IN ('pending', 'processing')`;
      const current =
        'SELECT 1 FROM current_version AS c WHERE c.doc_key = document_part.doc_key AND c.version = document_part.version';
      return database.transaction(() => dropParts(`NOT EXISTS (${lives}) AND NOT EXISTS (${current})`, []));
    },
    async close() {
      closed = true;
      await blobs.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}

class BlobReceipt implements IncomingReceipt {
  readonly stream: Writable;
  kept = false;
  bytes = 0;
  sha256 = '';
  readonly #arriving: ArrivingBlob;
  readonly #bytesMax: number;
  readonly #hash = createHash('sha256');
  #busy: Promise<void> = Promise.resolve();

  constructor(arriving: ArrivingBlob, bytesMax: number) {
    this.#arriving = arriving;
    this.#bytesMax = bytesMax;
    this.stream = new Writable({
      highWaterMark: blobRowBytes,
      write: (chunk: Buffer, _encoding, done) => this.#step(() => this.#take(chunk), done),
      final: (done) => this.#step(() => this.#finish(), done),
      destroy: (error, done) => void this.#busy.finally(() => done(error)),
    });
    // Whoever pipes into it hears of errors there; without a listener one would end the process.
    this.stream.on('error', () => undefined);
  }

  /** In the caller's transaction, again when that is done again. */
  store(): Promise<number> {
    return this.#arriving.store();
  }

  async discard(): Promise<void> {
    if (this.kept) return;
    this.stream.destroy();
    await this.#busy;
    await this.#arriving.drop();
  }

  #step(work: () => Promise<void>, done: (error?: Error) => void): void {
    const step = work();
    this.#busy = step.catch(() => undefined);
    callbackify(() => step)(done);
  }

  async #take(chunk: Buffer): Promise<void> {
    this.bytes += chunk.byteLength;
    if (this.bytes > this.#bytesMax) throw new AppError('invalid_document', 'Invalid document: File too large');
    this.#hash.update(chunk);
    await this.#arriving.write(chunk);
  }

  async #finish(): Promise<void> {
    await this.#arriving.finish();
    this.sha256 = this.#hash.digest('hex');
  }
}
