/**
 * Blobs whose bytes lie in an object store, beside those that lie in rows: the object comes first, then the transaction that refers to
 * it. A key says which process has put it and which blob it is to be. What no blob refers to is found without a clock: of a process
 * that is gone nothing can be referred to any more, and of one that lives only itself judges. Objects that are no longer needed are
 * noted in the transaction that lets go of them, and deleted after it.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError, SettingError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { ByteRange } from '../file-store.ts';
import { type ObjectSource, type ObjectStore, StoreFault } from '../objects/object-store.ts';
import { fewAtOnce } from '../few-at-once.ts';
import { type ArrivingBlob, type Blobs, blobRowBytes, createBlobs, unreferredSql } from './blobs.ts';
import type { Database } from './database.ts';

/** An object that is there, or may be, and that no blob refers to yet. */
type Put = {
  readonly id: number;
  readonly bytes: number;
  readonly object: string;
  /** A transaction has referred to it: if its end was not heard of, a blob may refer to it after all. */
  referred: boolean;
};

/** Numbers of blobs that are taken at once. */
const idsAtOnce = 64;
/** Requests to the store at once, of one document or one deletion. */
const requestsAtOnce = 6;
/** How often all objects are looked through, by whichever process comes first; again that soon after one that did not come to its end. */
const sweepEvery = '23 hours';
const sweepAgainAfter = '1 hour';
const marker = 'space';

export type ObjectBlobsOptions = {
  readonly database: Database;
  readonly store: ObjectStore;
  /** This process. */
  readonly owner: string;
  /** What all keys of this database begin with (`openSpace`). */
  readonly space: string;
  /** A folder of this process alone, for uploads that are too large for memory; it need not exist. */
  readonly workDir: string;
  readonly logger: Logger;
};

/**
 * The name under which this database keeps its objects, made the first time.
 * @throws AppError `unavailable`: the store cannot be used. SettingError: it refuses this key or bucket, or is not the one that this database has
 * used before.
 */
async function openSpace(database: Database, store: ObjectStore): Promise<string> {
  const sql = `INSERT INTO object_space(name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name`;
  const known = await spaceOf(database);
  if (known !== null) {
    const file = await store.get(`${known}/${marker}`, null);
    file?.stream.destroy();
    if (file === null) throw new SettingError('FILES_URL: this is not the bucket with the files of this database.');
    return known;
  }
  const name = randomUUID();
  await store.put(`${name}/${marker}`, { bytes: 0, content: new Uint8Array() });
  const [row] = await database.query(sql, [name]);
  if (row !== undefined) return name;
  await store.delete(`${name}/${marker}`);
  return openSpace(database, store);
}

/**
 * The store with its space, or null where the settings name none.
 * @throws AppError as `openSpace`. SettingError: files of this database lie in an object store, and the settings name none.
 */
export async function openObjects(
  database: Database,
  store: ObjectStore | null | undefined,
): Promise<Pick<ObjectBlobsOptions, 'store' | 'space'> | null> {
  if (store !== null && store !== undefined) return { store, space: await openSpace(database, store).catch(atStart) };
  if ((await spaceOf(database)) !== null)
    throw new SettingError('FILES_URL: the files of this database are in an object store; set its address.');
  return null;
}

/** At a start, a person reads along. */
function atStart(error: unknown): never {
  const { cause } = error as Error;
  if (!(error instanceof AppError) || !(cause instanceof StoreFault)) throw error;
  if (cause.isLasting) throw new SettingError('FILES_URL: the object store refuses requests.', { cause });
  throw new AppError('unavailable', 'FILES_URL: the object store cannot be used now.', { cause });
}

async function spaceOf(database: Database): Promise<string | null> {
  const [row] = await database.query('SELECT name FROM object_space');
  return row === undefined ? null : (row['name'] as string);
}

/** What reads the bytes of this database wherever they lie. @throws as `openObjects`. */
export async function storedBlobs(database: Database, store: ObjectStore | null, logger: Logger): Promise<Pick<Blobs, 'open'>> {
  const objects = await openObjects(database, store);
  return objects === null
    ? createBlobs(database)
    : createObjectBlobs({ ...objects, database, owner: 'nobody', workDir: '', logger });
}

export function createObjectBlobs(options: ObjectBlobsOptions): Blobs {
  const { database, store, owner, space, workDir, logger } = options;
  const rows = createBlobs(database);
  const free: number[] = [];
  /** What this process has put, or is putting, and no transaction has committed. */
  const pending = new Set<string>();
  const prepared = new Map<string, Put>();
  let deleting: Promise<void> = Promise.resolve();
  let toDelete: string[] = [];
  let arrivals = 0;

  const keyOf = (object: string): string => `${space}/${object}`;

  async function nextId(): Promise<number> {
    const known = free.pop();
    if (known !== undefined) return known;
    const taken = await database.query(`SELECT nextval('blob_id_seq') AS id FROM generate_series(1, ${idsAtOnce})`);
    free.push(...taken.map((row) => row['id'] as number).toReversed());
    return free.pop()!;
  }

  async function put(source: ObjectSource): Promise<Put> {
    const id = await nextId();
    const object = `${owner}/${id}`;
    pending.add(object);
    try {
      await store.put(keyOf(object), source);
      return { id, bytes: source.bytes, object, referred: false };
    } catch (error) {
      // It may be there nevertheless.
      pending.delete(object);
      deleteSoon([object]);
      throw error;
    }
  }

  /** In the caller's transaction. */
  async function refer(puts: readonly Put[]): Promise<void> {
    for (const put of puts) put.referred = true;
    database.afterRollback(() => puts.forEach((put) => (put.referred = false)));
    const sql = `INSERT INTO blob(id, bytes, object) OVERRIDING SYSTEM VALUE
      SELECT id, bytes, object FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS put(id, bytes, object)`;
    await database.run(sql, [puts.map(({ id }) => id), puts.map(({ bytes }) => bytes), puts.map(({ object }) => object)]);
    await database.afterCommit(() => puts.forEach(({ object }) => pending.delete(object)));
  }

  /** Nobody will refer to them: deleted soon; what a transaction may have referred to, by the sweep after this process. */
  function unneeded(puts: readonly Put[]): void {
    const objects = puts.filter(({ referred }) => !referred).map(({ object }) => object);
    for (const object of objects) pending.delete(object);
    deleteSoon(objects);
  }

  function deleteSoon(objects: readonly string[]): void {
    toDelete.push(...objects);
    deleting = deleting.then(deleteAll).catch((error: unknown) => {
      logger.debug({ err: error }, 'objects could not be deleted; a sweep will');
    });
  }

  async function deleteAll(): Promise<void> {
    const objects = toDelete;
    toDelete = [];
    if (objects.length > 0) await database.apart(() => deleteNow(objects));
  }

  async function deleteNow(objects: readonly string[]): Promise<void> {
    await fewAtOnce(objects, requestsAtOnce, (object) => store.delete(keyOf(object)));
    await database.run('DELETE FROM unneeded_object WHERE object = ANY($1::text[])', [objects]);
  }

  async function objectOf(blob: number): Promise<string | null> {
    const [row] = await database.query('SELECT object FROM blob WHERE id = $1', [blob]);
    return (row?.['object'] ?? null) as string | null;
  }

  /** The store is asked before anybody begins to answer with it. */
  async function openBlob(blob: number, range: ByteRange | null): ReturnType<Blobs['open']> {
    const object = await objectOf(blob);
    return object === null ? rows.open(blob, range) : store.get(keyOf(object), range);
  }

  async function fetchTo(blob: number, path: string): Promise<void> {
    const object = await objectOf(blob);
    if (object === null) return rows.fetch(blob, path);
    const found = await store.get(keyOf(object), null);
    if (found !== null) await pipeline(found.stream, createWriteStream(path));
  }

  async function prepare(paths: readonly string[]): Promise<void> {
    if (database.isInside) return;
    await fewAtOnce(
      paths.filter((path) => !prepared.has(path)),
      requestsAtOnce,
      async (path) => void prepared.set(path, await put(await sourceOf(path))),
    );
  }

  async function storePrepared(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = paths.flatMap((path) => {
      const known = prepared.get(path);
      return known === undefined ? [] : [{ path, known }];
    });
    if (found.length === 0) return new Map();
    await refer(found.map(({ known }) => known));
    await database.afterCommit(() => found.forEach(({ path }) => prepared.delete(path)));
    return new Map(found.map(({ path, known }) => [path, known.id]));
  }

  async function drop(blobs: readonly number[]): Promise<void> {
    if (blobs.length === 0) return;
    const sql = `WITH gone AS (DELETE FROM blob WHERE id = ANY($1::bigint[]) AND ${unreferredSql} RETURNING object)
      INSERT INTO unneeded_object(object) SELECT object FROM gone WHERE object IS NOT NULL RETURNING object`;
    const objects = (await database.query(sql, [blobs])).map((row) => row['object'] as string);
    if (objects.length > 0) await database.afterCommit(() => deleteSoon(objects));
  }

  /** What transactions have let go of, and nobody has deleted. */
  async function deleteNoted(): Promise<void> {
    for (let last = ''; ;) {
      const found = await database.query('SELECT object FROM unneeded_object WHERE object > $1 ORDER BY object LIMIT 500', [last]);
      const objects = found.map((row) => row['object'] as string);
      await deleteNow(objects);
      if (objects.length < 500) return;
      last = objects.at(-1)!;
    }
  }

  /**
   * Deletes the objects that no blob refers to and none will. The order matters: an owner that is gone when it is looked for can commit
   * nothing any more, so what blobs there are after that decides.
   */
  async function deleteOrphans(listed: readonly string[]): Promise<number> {
    const objects = listed.filter((object) => /^[^/]+\/\d+$/.test(object));
    const living = new Set((await database.query('SELECT id FROM owner')).map((row) => row['id'] as string));
    const judged = objects.filter((object) => (ownerOf(object) === owner ? !pending.has(object) : !living.has(ownerOf(object))));
    if (judged.length === 0) return 0;
    const sql = `SELECT put.object FROM unnest($1::text[], $2::bigint[]) AS put(object, id)
      WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.id = put.id AND blob.object = put.object)`;
    const found = await database.query(sql, [judged, judged.map((object) => Number(object.split('/')[1]))]);
    const orphans = found.map((row) => row['object'] as string);
    await deleteNow(orphans);
    return orphans.length;
  }

  async function sweepObjects(prefix: string, onPage: () => Promise<unknown>): Promise<number> {
    let removed = 0;
    for await (const keys of store.list(keyOf(prefix))) {
      removed += await deleteOrphans(keys.map((key) => key.slice(space.length + 1)));
      await onPage();
    }
    if (removed > 0) logger.info({ removed }, 'objects that no document refers to removed');
    return removed;
  }

  /** Begun, or still on its way: nobody else's turn for as long as another may take to look at a page. */
  const begun = `UPDATE object_space SET swept_at = clock_timestamp() - (interval '${sweepEvery}' - interval '${sweepAgainAfter}')`;
  const isDue = `swept_at IS NULL OR swept_at NOT BETWEEN clock_timestamp() - interval '${sweepEvery}' AND clock_timestamp()`;

  async function sweepAll(): Promise<number> {
    if ((await database.run(`${begun} WHERE ${isDue}`)) === 0) return 0;
    await deleteNoted();
    const removed = await sweepObjects('', () => database.run(begun));
    await database.run('UPDATE object_space SET swept_at = clock_timestamp()');
    return removed;
  }

  async function sweepOf(dead: string): Promise<number> {
    await deleteNoted();
    return sweepObjects(`${dead}/`, async () => undefined);
  }

  async function sweep(dead?: string): Promise<number> {
    return (await rows.sweep()) + (await (dead === undefined ? sweepAll() : sweepOf(dead)));
  }

  return {
    ...rows,
    arrive: () => {
      arrivals += 1;
      return new ArrivingObject({ put, refer, unneeded, path: join(workDir, `arriving.${arrivals}`) });
    },
    prepare,
    storePrepared,
    async forget(folder) {
      const paths = [...prepared.keys()].filter((path) => dirname(path) === folder);
      unneeded(paths.map((path) => prepared.get(path)!));
      for (const path of paths) prepared.delete(path);
    },
    open: openBlob,
    fetch: fetchTo,
    drop,
    sweep,
    state: () => store.state(),
    async close() {
      unneeded([...prepared.values()]);
      prepared.clear();
      await deleting;
    },
  };
}

type Objects = {
  readonly put: (source: ObjectSource) => Promise<Put>;
  readonly refer: (puts: readonly Put[]) => Promise<void>;
  readonly unneeded: (puts: readonly Put[]) => void;
  /** Of a file that it may keep. */
  readonly path: string;
};

/** What is small is held in memory, what is large in a file, until it is whole: then its length and its digest are known. */
class ArrivingObject implements ArrivingBlob {
  readonly #objects: Objects;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #file: FileHandle | null = null;
  #put: Put | null = null;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.byteLength;
    this.#waiting.push(chunk);
    if (this.#bytes > blobRowBytes) await this.#spill();
  }

  async finish(): Promise<void> {
    try {
      const content = this.#file === null ? Buffer.concat(this.#waiting) : { path: this.#objects.path };
      this.#put = await this.#objects.put({ bytes: this.#bytes, content });
    } finally {
      await this.#letGo();
    }
  }

  async store(): Promise<number> {
    if (this.#put === null) throw new Error('the upload is no longer there');
    await this.#objects.refer([this.#put]);
    return this.#put.id;
  }

  async drop(): Promise<void> {
    await this.#letGo();
    if (this.#put !== null) this.#objects.unneeded([this.#put]);
    this.#put = null;
  }

  async #spill(): Promise<void> {
    if (this.#file === null) {
      await mkdir(dirname(this.#objects.path), { recursive: true });
      this.#file = await open(this.#objects.path, 'w');
    }
    const data = Buffer.concat(this.#waiting);
    this.#waiting = [];
    await this.#file.writeFile(data);
  }

  async #letGo(): Promise<void> {
    this.#waiting = [];
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    await file.close();
    await rm(this.#objects.path, { force: true });
  }
}

async function sourceOf(path: string): Promise<ObjectSource> {
  const { size } = await stat(path);
  return { bytes: size, content: size <= blobRowBytes ? await readFile(path) : { path } };
}

function ownerOf(object: string): string {
  return object.slice(0, object.indexOf('/'));
}
