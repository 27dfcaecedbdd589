/**
 * Handles of files that were chosen and are not with the server yet, kept in this browser's database, where there are such things
 * (Chromium, over HTTPS or on this machine): after the page was loaded again the same files can be read without being chosen again.
 * Loaded when it is first needed. What a browser refuses is as if there were no handles.
 */

/** Not in TypeScript's library yet. */
type Askable = FileSystemFileHandle & { requestPermission?: (options: { mode: 'read' }) => Promise<PermissionState> };

const databaseName = 'rag-intake';
const storeName = 'unsent';

/** Adds them to those that are kept, by path. */
export async function keepHandles(handles: ReadonlyMap<string, FileSystemFileHandle>): Promise<void> {
  await inStore('readwrite', (store) => {
    for (const [path, handle] of handles) store.put(handle, path);
  });
}

export async function forgetHandles(): Promise<void> {
  await inStore('readwrite', (store) => store.clear());
}

/** Of these paths. */
export async function keptHandles(paths: readonly string[]): Promise<ReadonlyMap<string, FileSystemFileHandle>> {
  const requests = new Map<string, IDBRequest<unknown>>();
  await inStore('readonly', (store) => {
    for (const path of paths) requests.set(path, store.get(path));
  });
  return new Map(
    [...requests].flatMap(([path, { result }]): [string, FileSystemFileHandle][] =>
      result instanceof FileSystemFileHandle ? [[path, result]] : [],
    ),
  );
}

/** Asks its reader's leave where the browser wants it; null when it is refused, or the file is gone. */
export async function readAgain(handle: FileSystemFileHandle): Promise<File | null> {
  try {
    const leave = await (handle as Askable).requestPermission?.({ mode: 'read' });
    return leave === 'denied' ? null : await handle.getFile();
  } catch {
    return null;
  }
}

async function inStore(mode: IDBTransactionMode, act: (store: IDBObjectStore) => void): Promise<void> {
  const database = await opened();
  try {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(storeName, mode);
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
      act(transaction.objectStore(storeName));
    });
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });
}
