/**
 * Bytes as files: uploads are received in the own lease directory, payloads lie beside their records, and a document's
 * versions are folders that appear and disappear by one rename.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { documentFolder, type FileKey, type FileStore, type Receipt } from '../../file-store.ts';
import { type DocumentPart, optionalParts } from '../../../documents/document-part.ts';
import { AppError, hasErrno } from '../../../errors.ts';
import { isLater, isTaskId, type TaskId, type Version, withOrdinal } from '../../../tasks/task.ts';
import { type Disk, orNull } from '../disk/disk.ts';
import type { DiskHealth } from '../disk/disk-health.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import { CorruptFile } from '../disk/durable-json.ts';
import { fewAtOnce, flushesAtOnce, manyAtOnce } from '../../few-at-once.ts';
import { FileReceipt, WholeReceipt } from './staged-upload.ts';
import { type Layout } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';

export interface FileFileStore extends FileStore {
  /** Where a receipt's bytes lie, for `submit`; marks it as kept. */
  keep(receipt: Receipt): string;
  /** The bytes of a whole receipt whose file is not flushed: by whoever keeps it, or not at all where they are durable elsewhere. Null: it is. */
  unflushed(receipt: Receipt): Buffer | null;
  /** Gives a receipt whose keeping failed back to its owner. */
  unkeep(receipt: Receipt): void;
  /**
   * Removes versions that no index shows and no live task will, and notes which version the index shows where the note says otherwise: what
   * a crash left. `isLive` asks for the version's task. Only while the index is whole. Cost: a readdir and a read a document.
   */
  sweep(questions: {
    readonly isLive: (id: TaskId) => Promise<boolean>;
    readonly isCurrent: (docId: string, version: TaskId) => Promise<boolean>;
  }): Promise<number>;
}

/** `meta.json` last: it says what the others are. */
const mendedParts: readonly DocumentPart[] = ['content.md', 'chunks.ndjson', 'vectors.bin', 'pages.ndjson', 'meta.json'];

type Kept = FileReceipt | WholeReceipt;

/** Which version of a document is current. */
type Current = { readonly version: TaskId; readonly ordinal: number; readonly docId: string };

export function createFileFileStore(options: {
  disk: Disk;
  layout: Layout;
  owner: Pick<Owner, 'own' | 'temp' | 'discard' | 'holds'>;
  health: DiskHealth;
  syncDirectory: DirectorySync;
  /** Uploads of no more bytes are not flushed (`FileFileStore.unflushed`). Absent: all are. */
  unflushedBytesMax?: number;
}): FileFileStore {
  const { disk, layout, owner, health, syncDirectory, unflushedBytesMax = 0 } = options;
  const receipts = new WeakSet<Receipt>();
  let count = 0;

  const folderOf = (docId: string) => join(layout.documents, documentFolder(docId));
  const versionOf = (docId: string, version: TaskId) => join(folderOf(docId), version);

  function pathOf(key: FileKey): string {
    return key.kind === 'payload' ? layout.payload(key.taskId) : join(versionOf(key.docId, key.version), key.part);
  }

  /** A damaged note of the current version reads as none. */
  async function readCurrent(folder: string): Promise<Current | null> {
    const text = await orNull(disk.read(join(folder, 'current.json'), 'current.read'));
    try {
      return text === null ? null : parseCurrent(JSON.parse(text));
    } catch {
      return null;
    }
  }

  async function versionsIn(folder: string): Promise<TaskId[]> {
    return ((await orNull(disk.list(folder, 'document.list'))) ?? []).filter(isTaskId);
  }

  /** Gone in one step, then removed at leisure. */
  async function drop(path: string): Promise<void> {
    const trash = owner.temp();
    if ((await orNull(disk.rename(path, trash, 'document.drop').then(() => true))) !== null) await owner.discard(trash);
  }

  /** Versions that this process has begun to publish and neither settled nor taken back: of a document that is moved no task says so. */
  const onTheirWay = new Set<TaskId>();

  async function publish(docId: string, version: Version, scratchDir: string): Promise<void> {
    onTheirWay.add(version.id);
    try {
      await bring(docId, version, scratchDir);
    } catch (error) {
      onTheirWay.delete(version.id);
      throw error;
    }
  }

  async function bring(docId: string, { id }: Version, scratchDir: string): Promise<void> {
    const folder = folderOf(docId);
    const target = versionOf(docId, id);
    const isHere = (await orNull(disk.stat(scratchDir, 'publish.look'))) !== null;
    if (isHere) await bringIn(id, scratchDir, folder, target);
    const names = isHere ? await orNull(disk.list(target, 'publish.list')) : await disk.list(target, 'publish.list');
    // Removed with its document meanwhile.
    if (names === null) return;
    // In any order, but all before the index is told of it. A power cut before that leaves of the folder what it pleases: whoever runs the
    // task again puts all of it anew.
    await Promise.all([
      ...names.map((name) => orNull(disk.syncFile(join(target, name), 'publish.sync-file'))),
      orNull(disk.syncDirectory(target, 'publish.sync-version')),
      orNull(syncDirectory(folder, 'publish.sync-folder')),
      syncDirectory(layout.documents, 'publish.sync-documents'),
    ]);
  }

  async function bringIn(id: TaskId, scratchDir: string, folder: string, target: string): Promise<void> {
    await linkOriginal(id, scratchDir);
    await disk.mkdir(folder, 'publish.folder');
    if (await moveIn(scratchDir, folder, target)) return;
    // An attempt before this one got as far, and was perhaps ended by a power cut.
    await replaceParts(target, scratchDir, ['original', ...mendedParts], 'publish');
    await owner.discard(scratchDir);
  }

  async function mend(docId: string, version: TaskId, scratchDir: string): Promise<void> {
    const target = versionOf(docId, version);
    const made = await disk.list(scratchDir, 'mend.list');
    for (const part of made) await disk.syncFile(join(scratchDir, part), 'mend.sync-file');
    await replaceParts(target, scratchDir, mendedParts, 'mend');
    await disk.syncDirectory(target, 'mend.sync');
    await owner.discard(scratchDir);
  }

  /** Puts the parts of a version that lie in a scratch folder in place of its own, one after the other. */
  async function replaceParts(target: string, scratchDir: string, parts: readonly DocumentPart[], at: string): Promise<void> {
    const made = await disk.list(scratchDir, `${at}.list`);
    for (const part of parts) {
      const path = join(target, part);
      const there = await orNull(disk.stat(path, `${at}.look`));
      const isSurplus = optionalParts.some((one) => one === part) && made.includes('content.md') && !made.includes(part);
      if (there !== null && (isSurplus || (made.includes(part) && there.kind !== 'file'))) await drop(path);
      if (made.includes(part)) await disk.rename(join(scratchDir, part), path, `${at}.rename`);
    }
  }

  /** False: there is a folder of that name. Whoever removes an empty document folder may do so between our two steps; then they are done again. */
  async function moveIn(scratchDir: string, folder: string, target: string): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await disk.rename(scratchDir, target, 'publish.rename');
        return true;
      } catch (error) {
        if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
        const removed = hasErrno(error, 'ENOENT') && tries < 5 && (await orNull(disk.stat(scratchDir, 'publish.look'))) !== null;
        if (!removed) throw error;
        await disk.mkdir(folder, 'publish.folder');
      }
    }
  }

  /** Another name of the payload. */
  async function linkOriginal(version: TaskId, scratchDir: string): Promise<void> {
    const part: DocumentPart = 'original';
    const original = join(scratchDir, part);
    if ((await orNull(disk.stat(original, 'publish.original'))) !== null) return;
    await disk.link(layout.payload(version), original, 'publish.link').catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST')) throw error;
    });
  }

  /** Only ever forward: a process that slept through a newer version must not bring the old one back. */
  async function settle(docId: string, version: Version): Promise<void> {
    const folder = folderOf(docId);
    const noted = await readCurrent(folder);
    const before = noted === null ? null : { id: noted.version, ordinal: noted.ordinal };
    const current = before === null || isLater(version, before) ? version : before;
    if (current !== before) await note(folder, { version: version.id, ordinal: version.ordinal, docId });
    for (const other of await versionsIn(folder))
      if (other !== current.id && isLater(current, await numbered(folder, other))) await drop(join(folder, other));
    onTheirWay.delete(version.id);
  }

  /**
   * Not flushed: the index says the same, and the names of the versions with what their own files say of them nearly so. What a power cut
   * takes of it `sweep` puts right.
   */
  async function note(folder: string, current: Current): Promise<void> {
    const temp = owner.temp();
    try {
      const file = await disk.create(temp, 'current.create');
      try {
        await file.write([Buffer.from(JSON.stringify(current))]);
      } finally {
        await file.close();
      }
      await disk.rename(temp, join(folder, 'current.json'), 'current.rename');
    } catch (error) {
      await owner.discard(temp);
      throw error;
    }
  }

  async function numbered(folder: string, id: TaskId): Promise<Version> {
    return { id, ordinal: (await documentIn(join(folder, id)))?.ordinal ?? 0 };
  }

  async function unpublish(docId: string, version: TaskId): Promise<void> {
    onTheirWay.delete(version);
    if ((await readCurrent(folderOf(docId)))?.version === version) return;
    await drop(versionOf(docId, version));
    await dropIfEmpty(folderOf(docId));
  }

  async function remove(docId: string, ordinal: number): Promise<void> {
    const folder = folderOf(docId);
    const noted = await readCurrent(folder);
    if (noted !== null && noted.ordinal < ordinal) await drop(join(folder, 'current.json'));
    for (const version of await versionsIn(folder))
      if ((await numbered(folder, version)).ordinal < ordinal) await drop(versionOf(docId, version));
    await dropIfEmpty(folder);
  }

  async function dropIfEmpty(folder: string): Promise<void> {
    await orNull(disk.rmdir(folder, 'document.rmdir')).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    });
  }

  /** The newest version of each: an older one beside it has been replaced, or is about to be. */
  async function* documents(): AsyncGenerator<{ folder: string; version: TaskId }> {
    for (const name of (await disk.list(layout.documents, 'documents.list')).sort()) {
      const parent = join(layout.documents, name);
      const version = await newestIn(parent);
      if (version !== null) yield { folder: join(parent, version), version };
    }
  }

  async function newestIn(folder: string): Promise<TaskId | null> {
    const [first, ...others] = await versionsIn(folder);
    if (first === undefined || others.length === 0) return first ?? null;
    let newest = await numbered(folder, first);
    for (const other of others) {
      const version = await numbered(folder, other);
      if (isLater(version, newest)) newest = version;
    }
    return newest.id;
  }

  /** @throws AppError as `FileStore.receive`. */
  async function admit(bytes: number): Promise<void> {
    await health.requireRoom(bytes);
    if (!(await owner.holds())) throw new AppError('unavailable', 'RAG service is not ready.');
  }

  function uploadPath(): string {
    count += 1;
    return owner.own(`up.${count}`);
  }

  return {
    async receive({ bytesMax, bytesExpected }) {
      await admit(Math.min(bytesExpected ?? 0, bytesMax));
      const receipt = new FileReceipt({ disk, health, path: uploadPath(), bytesMax, unflushedBytesMax, discard: owner.discard });
      receipts.add(receipt);
      return receipt;
    },
    async receiveAll(contents) {
      await admit(contents.reduce((sum, { byteLength }) => sum + byteLength, 0));
      const how = { unflushedBytesMax, discard: owner.discard };
      const files = contents.map((content) => ({ content, receipt: new WholeReceipt(uploadPath(), content, how) }));
      const received = files.map(({ receipt }) => receipt);
      const flushed = files.filter(({ receipt }) => receipt.content === null);
      const others = files.filter(({ receipt }) => receipt.content !== null);
      const write =
        (to: Pick<Disk, 'create'>) =>
        ({ receipt, content }: (typeof files)[number]): Promise<void> =>
          health.guard(() => receipt.write(to, content));
      const written = await Promise.allSettled([
        fewAtOnce(others, manyAtOnce, write(disk.many())),
        fewAtOnce(flushed, flushesAtOnce, write(disk)),
      ]);
      const refused = written.find((result) => result.status === 'rejected');
      if (refused !== undefined) {
        await Promise.all(received.map((receipt) => receipt.discard()));
        throw refused.reason;
      }
      for (const receipt of received) receipts.add(receipt);
      return received;
    },
    keep(receipt) {
      const own = receipt as Kept;
      const isWhole = own instanceof WholeReceipt || own.stream.writableFinished;
      assert(receipts.has(receipt) && isWhole, 'submit takes a whole receipt of the same engine, once');
      receipts.delete(receipt);
      own.kept = true;
      return own.path;
    },
    unflushed: (receipt) => (receipt as Kept).content,
    unkeep(receipt) {
      receipts.add(receipt);
      (receipt as Kept).kept = false;
    },
    async localPath(key) {
      const path = pathOf(key);
      return (await orNull(disk.stat(path, 'file.stat'))) === null ? null : path;
    },
    open: (key, pick) => health.guard(() => orNull(disk.stream(pathOf(key), 'file.open', pick))),
    async stat(key) {
      const entry = await orNull(disk.stat(pathOf(key), 'file.stat'));
      return entry === null ? null : { bytes: entry.bytes };
    },
    scratch: (taskId) =>
      health.guard(async () => {
        count += 1;
        const path = owner.own(`scratch.${taskId}.${count}`);
        await disk.mkdir(path, 'scratch.create');
        return path;
      }),
    publish: (docId, version, scratchDir) => health.guard(() => publish(docId, version, scratchDir)),
    settle: (docId, version) => health.guard(() => settle(docId, version)),
    mend: (docId, version, scratchDir) => health.guard(() => mend(docId, version, scratchDir)),
    withStored: (docId, version, look) => look(versionOf(docId, version)),
    prepare: () => Promise.resolve(),
    unpublish: (docId, version) => health.guard(() => unpublish(docId, version)),
    remove: (docId, ordinal) => health.guard(() => remove(docId, ordinal)),
    documents,
    async sweep({ isLive, isCurrent }) {
      let removed = 0;
      for (const name of await disk.list(layout.documents, 'documents.list')) {
        const folder = join(layout.documents, name);
        const noted = await readCurrent(folder);
        for (const version of await versionsIn(folder)) {
          if (version === noted?.version || onTheirWay.has(version) || (await isLive(version))) continue;
          const document = await documentIn(join(folder, version));
          if (document !== null && (await isCurrent(document.docId, version))) {
            await settle(document.docId, { id: version, ordinal: document.ordinal });
            continue;
          }
          await drop(join(folder, version));
          removed += 1;
        }
        await dropIfEmpty(folder);
      }
      return removed;
    },
  };

  /** What a version's own file says of it; null when there is none. */
  async function documentIn(folder: string): Promise<Pick<Current, 'docId' | 'ordinal'> | null> {
    const part: DocumentPart = 'meta.json';
    const text = await orNull(disk.read(join(folder, part), 'document.meta'));
    try {
      const { document } = JSON.parse(text ?? '{}') as { document?: Partial<Current> };
      return document?.docId === undefined ? null : { docId: document.docId, ordinal: document.ordinal ?? 0 };
    } catch {
      return null;
    }
  }
}

function parseCurrent(data: unknown): Current {
  const current = data as Current;
  if (typeof data !== 'object' || data === null || !isTaskId(String(current.version)))
    throw new CorruptFile('not a current version');
  return withOrdinal(current);
}
