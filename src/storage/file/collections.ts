/**
 * Collections as files: `<name>.json` for each, and `<name>.removing` beside it while it is being removed. A listing is kept in
 * memory, and read again when the folder has changed: every change is a rename or an unlink in it.
 */
import { basename, join } from 'node:path';
import { bareCollection, type Collection, readCollection } from '../../documents/collection.ts';
import { isCollectionName } from '../../documents/document-name.ts';
import type { CollectionStore } from '../collection-store.ts';
import type { DirectorySync } from './disk/directory-sync.ts';
import { type Disk, orNull, unlinkIfThere } from './disk/disk.ts';
import { createDocument } from './disk/durable-json.ts';
import type { Layout } from './disk/layout.ts';

const readsAtOnce = 32;
/** A folder that has changed so lately may change again within one tick of its clock: what was read of it is not kept. */
const settledMs = 2000;

export type FileCollectionOptions = {
  readonly disk: Disk;
  readonly layout: Pick<Layout, 'collections'>;
  /** A new name in the own lease directory. */
  readonly temp: () => string;
  readonly discard: (path: string) => Promise<void>;
  readonly syncDirectory: DirectorySync;
  /** ISO 8601. */
  readonly now: () => string;
  /** What goes round every use of the disk. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
};

export function createFileCollectionStore(options: FileCollectionOptions): CollectionStore {
  const { disk, syncDirectory, now, guard } = options;
  const folder = options.layout.collections;
  let listed: { readonly stamp: string; readonly collections: readonly Collection[] } | null = null;
  const record = (name: string): string => join(folder, `${checked(name)}.json`);
  const removing = (name: string): string => join(folder, `${checked(name)}.removing`);

  async function isThere(path: string): Promise<boolean> {
    return (await orNull(disk.stat(path, 'collection.stat'))) !== null;
  }

  async function write(path: string, data: unknown): Promise<void> {
    const document = createDocument({ ...options, path, parse: (read) => read, at: 'collection' });
    document.data = data;
    await document.write();
  }

  async function get(name: string): Promise<Collection | null> {
    const text = await orNull(disk.read(record(name), 'collection.read'));
    return text === null || (await isThere(removing(name))) ? null : (readCollection(name, text) ?? bareCollection(name));
  }

  async function namesWith(ending: string): Promise<string[]> {
    const names = (await orNull(disk.list(folder, 'collection.list'))) ?? [];
    return names
      .filter((name) => name.endsWith(ending))
      .map((name) => basename(name, ending))
      .filter(isCollectionName);
  }

  async function read(): Promise<readonly Collection[]> {
    const names = (await namesWith('.json')).toSorted();
    const found: (Collection | null)[] = [];
    for (let from = 0; from < names.length; from += readsAtOnce)
      found.push(...(await Promise.all(names.slice(from, from + readsAtOnce).map(get))));
    return found.filter((collection) => collection !== null);
  }

  async function all(): Promise<readonly Collection[]> {
    // Before the folder's own time is: what changes it while it is read, in the tick of the last change, is not settled however long that takes.
    const at = Date.parse(now());
    const entry = await orNull(disk.stat(folder, 'collection.stat'));
    if (entry === null) return [];
    const stamp = `${entry.inode} ${entry.mtimeMs}`;
    if (listed?.stamp === stamp) return listed.collections;
    const collections = await read();
    listed = Math.abs(at - entry.mtimeMs) > settledMs ? { stamp, collections } : null;
    return collections;
  }

  async function damaged(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of await namesWith('.json')) {
      const text = await orNull(disk.read(record(name), 'collection.read'));
      if (text !== null && readCollection(name, text) === null) found.push(name);
    }
    return found;
  }

  async function put(collection: Collection): Promise<boolean> {
    const { name } = collection;
    if (await isThere(removing(name))) return false;
    await write(record(name), collection);
    return !(await isThere(removing(name)));
  }

  async function beginRemoval(name: string): Promise<boolean> {
    if (!(await isThere(record(name)))) return false;
    await write(removing(name), {});
    return true;
  }

  async function endRemoval(name: string): Promise<void> {
    // The record first: without it there is nothing that could come back.
    for (const path of [record(name), removing(name)]) {
      await unlinkIfThere(disk, path, 'collection.unlink');
      await syncDirectory(folder, 'collection.sync-directory');
    }
  }

  return {
    all: () => guard(all),
    get: (name) => guard(() => get(name)),
    damaged: () => guard(damaged),
    put: (collection) => guard(() => put(collection)),
    beginRemoval: (name) => guard(() => beginRemoval(name)),
    removals: () => guard(() => namesWith('.removing')),
    endRemoval: (name) => guard(() => endRemoval(name)),
  };
}

/** A name with a slash in it would be a file elsewhere. */
function checked(name: string): string {
  if (isCollectionName(name)) return name;
  throw new TypeError(`not the name of a collection: ${JSON.stringify(name)}`);
}
