/**
 * Power cuts. A life is recorded operation by operation; then, at random moments of it, a disk is rebuilt as the cut may
 * have left it, a machine boots (a new boot id), and everything acknowledged before the moment must be there.
 * Two models of a disk: `journal` keeps a prefix of the changes to names, at least up to the last fsync of a directory;
 * `names` keeps of every directory what its own last fsync covered and any subset of what came later, so that a file that
 * was moved may be in both places or in none. In both, data that was not flushed is cut short or gone.
 * `node test/crash/power-loss.ts [--points N] [--seed S]`
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, linkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { identifyProcess } from '../../src/storage/file/ownership/process-identity.ts';
import { documentFolder } from '../../src/storage/file-store.ts';
import type { DocumentIndex, IndexedDocument } from '../../src/search/document-index.ts';
import type { TaskId, Version } from '../../src/tasks/task.ts';
import { openArbiterIndex } from '../support/arbiter-index.ts';
import { type DiskOperation, faultyDisk } from '../support/faulty-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { judgeAftermath, openBoth } from './aftermath.ts';
import type { HistoryEntry } from './history.ts';
import { live } from './life.ts';
import { type Random, randomFrom } from './random.ts';

type FileNode = { readonly kind: 'file'; content: Buffer; flushed: Buffer };
type FolderNode = {
  readonly kind: 'folder';
  readonly live: Map<string, Node>;
  durable: Map<string, Node>;
  since: [string, Node | null][];
};
type Node = FileNode | FolderNode;
type NameChange = { readonly folder: FolderNode; readonly name: string; readonly node: Node | null };

type Event =
  | { readonly kind: 'disk'; readonly operation: DiskOperation; readonly bytes: readonly Buffer[]; readonly seen: Buffer | null }
  /** What a thread has left in its folder, past the Disk port, when that folder, or a part in it, was moved into its place. */
  | { readonly kind: 'made'; readonly paths: readonly string[] }
  | { readonly kind: 'index'; readonly replay: (index: DocumentIndex, folder: string) => Promise<unknown> };

type Recording = {
  readonly root: string;
  readonly events: readonly Event[];
  readonly told: readonly { entry: HistoryEntry; after: number }[];
};

const models = ['journal', 'names'] as const;
type Model = (typeof models)[number];
const atOnce = 4;

export async function runPowerLoss(options: { points: number; seed: number; only?: string | undefined }): Promise<boolean> {
  await using dir = await tempDir();
  const random = randomFrom(options.seed);
  const recording = await record(join(dir.path, 'life'));
  const cuts = Array.from({ length: options.points }, (_, number) => ({
    number,
    at: random.whole(1, recording.events.length),
    model: models[number % models.length]!,
    seed: random.whole(1, 1e9),
  })).filter(({ number }) => options.only === undefined || number === Number(options.only));
  const wrong = { journal: 0, names: 0 } satisfies Record<Model, number>;
  const queue = [...cuts];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let cut = queue.shift(); cut !== undefined; cut = queue.shift()) {
        const problems = await boot(recording, join(dir.path, `cut-${cut.number}`), cut);
        if (problems.length === 0) continue;
        wrong[cut.model] += 1;
        console.log(`  cut ${cut.number} (${cut.model}, after operation ${cut.at}): ${problems.join('; ')}`);
      }
    }),
  );
  console.table(models.map((model) => ({ model, cuts: cuts.filter((cut) => cut.model === model).length, wrong: wrong[model] })));
  console.log(`power loss: ${cuts.length} cuts of a life of ${recording.events.length} operations, seed ${options.seed}`);
  return wrong.journal + wrong.names === 0;
}

/** A whole life with everything that reached the disk or the index, in order. */
async function record(root: string): Promise<Recording> {
  mkdirSync(root, { recursive: true });
  const events: Event[] = [];
  const told: { entry: HistoryEntry; after: number }[] = [];
  const disk = faultyDisk(createDisk(), {
    before({ method, paths: [path = ''] }) {
      const folder = [path, dirname(path)].find((one) => basename(one).startsWith('scratch.'));
      if (method !== 'rename' || folder === undefined) return;
      events.push({ kind: 'made', paths: readdirSync(folder).map((name) => join(folder, name)) });
    },
    after(operation, bytes = []) {
      const seen = operation.method === 'sync' && statSync(operation.paths[0]!, { throwIfNoEntry: false })?.isFile() === true;
      const copies = bytes.map((chunk) => Buffer.from(chunk));
      events.push({ kind: 'disk', operation, bytes: copies, seen: seen ? readFileSync(operation.paths[0]!) : null });
    },
  });
  const openIndex = async (indexDir: string): Promise<DocumentIndex> => recordedIndex(await openArbiterIndex(indexDir), events);
  const [front, worker] = await openBoth(root, { disk, openIndex });
  await live(front, worker, (entry) => told.push({ entry, after: events.length }));
  const recording = { root, events: [...events], told };
  await Promise.all([front.close(), worker.close()]);
  return recording;
}

/** The index is a database of its own that is durable when it returns: its decisions are replayed into the rebuilt disk. */
function recordedIndex(index: DocumentIndex, events: Event[]): DocumentIndex {
  function note<T>(work: Promise<T>, replay: (copy: DocumentIndex, folder: string) => Promise<unknown>): Promise<T> {
    return work.then((answer) => {
      events.push({ kind: 'index', replay });
      return answer;
    });
  }
  return {
    ...index,
    replace: (document: IndexedDocument, folder: string) =>
      note(index.replace(document, folder), (copy, staged) => copy.replace(document, staged)),
    revoke: (docId: string, version: Version) => note(index.revoke(docId, version), (copy) => copy.revoke(docId, version)),
    reinstate: (docId: string, version: TaskId) => note(index.reinstate(docId, version), (copy) => copy.reinstate(docId, version)),
    remove: (docId: string, ordinal: number) => note(index.remove(docId, ordinal), (copy) => copy.remove(docId, ordinal)),
  };
}

async function boot(recording: Recording, dataDir: string, cut: { at: number; model: Model; seed: number }): Promise<string[]> {
  const events = recording.events.slice(0, cut.at);
  const random = randomFrom(cut.seed);
  const tree = rebuild(recording.root, events, cut.model, random);
  mkdirSync(dataDir, { recursive: true });
  writeTree(tree, dataDir, random);
  await replayIndex(events, dataDir);
  const before = recording.told.filter(({ after }) => after < cut.at).map(({ entry }) => entry);
  const after: HistoryEntry[] = [];
  const identity = { ...identifyProcess(process.pid), bootId: 'the next boot' };
  const problems = await judgeAftermath(
    dataDir,
    () => forgiven(before, after),
    (entry) => after.push(entry),
    { identity },
  ).catch((error: unknown) => [String(error)]);
  problems.push(...(await unreadableDocuments(dataDir)));
  rmSync(dataDir, { recursive: true, force: true });
  // A payload that came back by itself goes with the next hourly scrub; the first one may have run before its task ended.
  return cut.model === 'names' ? problems.filter((problem) => !/^tasks\/.*\.bin$/.test(problem)) : problems;
}

/** What a power cut may take back: that a task is completed, when it is searchable. The next attempt finds it so and completes it once more. */
function forgiven(before: readonly HistoryEntry[], after: readonly HistoryEntry[]): HistoryEntry[][] {
  const completed = new Set(before.filter((entry) => entry.op === 'finish' && entry.status === 'completed').map(({ id }) => id));
  const again = (entry: HistoryEntry): boolean => entry.op === 'finish' && entry.rolledForward === true && completed.has(entry.id);
  return [[...before], after.filter((entry) => !again(entry))];
}

function rebuild(root: string, events: readonly Event[], model: Model, random: Random): FolderNode {
  const tree = newFolder();
  const log: NameChange[] = [];
  let forced = 0;

  function folderAt(path: string): FolderNode {
    let folder = tree;
    for (const part of relative(root, path)
      .split('/')
      .filter((part) => part !== '')) {
      const next = folder.live.get(part);
      if (next?.kind === 'folder') folder = next;
      else {
        const made = newFolder();
        change(folder, part, made);
        folder = made;
      }
    }
    return folder;
  }

  function change(folder: FolderNode, name: string, node: Node | null): void {
    if (node === null) folder.live.delete(name);
    else folder.live.set(name, node);
    folder.since.push([name, node]);
    log.push({ folder, name, node });
  }

  function fileAt(path: string): FileNode {
    const folder = folderAt(dirname(path));
    const found = folder.live.get(basename(path));
    if (found?.kind === 'file') return found;
    const made: FileNode = { kind: 'file', content: Buffer.alloc(0), flushed: Buffer.alloc(0) };
    change(folder, basename(path), made);
    return made;
  }

  for (const event of events) {
    if (event.kind === 'made') for (const path of event.paths) fileAt(path);
    if (event.kind !== 'disk') continue;
    const { method, paths } = event.operation;
    const [path = '', to = ''] = paths;
    // What lies above the data directory is not part of the model.
    if (relative(root, path).startsWith('..')) continue;
    switch (method) {
      case 'create':
        fileAt(path);
        break;
      case 'write': {
        const file = fileAt(path);
        file.content = Buffer.concat([file.content, ...event.bytes]);
        break;
      }
      case 'sync': {
        const file = fileAt(path);
        if (event.seen !== null) file.content = event.seen;
        file.flushed = file.content;
        break;
      }
      case 'mkdir':
        if (path !== root) folderAt(path);
        break;
      case 'rename': {
        const from = folderAt(dirname(path));
        const node = from.live.get(basename(path));
        const target = folderAt(dirname(to));
        if (node === undefined || target.live.get(basename(to)) === node) break;
        change(target, basename(to), node);
        change(from, basename(path), null);
        break;
      }
      case 'link':
        change(folderAt(dirname(to)), basename(to), fileAt(path));
        break;
      case 'unlink':
      case 'rmdir':
        change(folderAt(dirname(path)), basename(path), null);
        break;
      case 'sync-directory': {
        const folder = folderAt(path);
        folder.durable = new Map(folder.live);
        folder.since = [];
        forced = Math.max(forced, log.findLastIndex((entry) => entry.folder === folder) + 1);
        break;
      }
    }
  }
  return model === 'journal' ? prefixOf(tree, log, random.whole(forced, log.length)) : subsetOf(tree, random);
}

/** The tree after the first `length` changes of names. A rename is two changes that stay together. */
function prefixOf(tree: FolderNode, log: readonly NameChange[], length: number): FolderNode {
  const copies = new Map<FolderNode, FolderNode>();
  const copyOf = (folder: FolderNode): FolderNode => {
    const known = copies.get(folder) ?? newFolder();
    copies.set(folder, known);
    return known;
  };
  const together = log[length - 1]?.node != null && log[length]?.node === null ? length + 1 : length;
  for (const { folder, name, node } of log.slice(0, together)) {
    if (node === null) copyOf(folder).live.delete(name);
    else copyOf(folder).live.set(name, node.kind === 'folder' ? copyOf(node) : node);
  }
  return copyOf(tree);
}

/** What each directory's own fsync covered, and by chance what came later. */
function subsetOf(folder: FolderNode, random: Random): FolderNode {
  const copy = newFolder();
  const entries = new Map(folder.durable);
  for (const [name, node] of folder.since) {
    if (random.next() < 0.5) continue;
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
  for (const [name, node] of entries) copy.live.set(name, node.kind === 'folder' ? subsetOf(node, random) : node);
  return copy;
}

function newFolder(): FolderNode {
  return { kind: 'folder', live: new Map(), durable: new Map(), since: [] };
}

function writeTree(folder: FolderNode, path: string, random: Random, written = new Map<FileNode, string>()): void {
  for (const [name, node] of folder.live) {
    const child = join(path, name);
    if (node.kind === 'folder') {
      mkdirSync(child, { recursive: true });
      writeTree(node, child, random, written);
      continue;
    }
    const known = written.get(node);
    if (known === undefined) writeFileSync(child, survived(node, random));
    else linkSync(known, child);
    written.set(node, child);
  }
}

/** All that was flushed, and any part of what was not. */
function survived({ content, flushed }: FileNode, random: Random): Buffer {
  return content.subarray(0, random.whole(flushed.byteLength, content.byteLength));
}

async function replayIndex(events: readonly Event[], dataDir: string): Promise<void> {
  mkdirSync(join(dataDir, 'index'), { recursive: true });
  const staged = join(dataDir, 'index', 'staged');
  mkdirSync(staged);
  writeFileSync(join(staged, 'meta.json'), '{}');
  const index = await openArbiterIndex(join(dataDir, 'index'));
  for (const event of events) if (event.kind === 'index') await event.replay(index, staged);
  await index.close();
  rmSync(staged, { recursive: true });
}

/** Every document that can be found is whole. */
async function unreadableDocuments(dataDir: string): Promise<string[]> {
  const index = await openArbiterIndex(join(dataDir, 'index'));
  const { documents } = await index.list({ limit: 100 });
  await index.close();
  const originals = documents.filter(({ docId, version, sha256 }) => {
    const path = join(dataDir, 'documents', documentFolder(docId), version, 'original');
    return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') !== sha256;
  });
  const damaged = originals.map(({ version }) => `${version}: the original is not what was uploaded`);
  const missing = documents.flatMap(({ docId, version }) =>
    ['original', 'content.md', 'meta.json']
      .filter(
        (name) =>
          (statSync(join(dataDir, 'documents', documentFolder(docId), version, name), { throwIfNoEntry: false })?.size ?? 0) === 0,
      )
      .map((name) => `${version}: ${name} is missing or empty`),
  );
  return [...damaged, ...missing];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { points: { type: 'string', default: '200' }, seed: { type: 'string' }, only: { type: 'string' } },
  });
  const ok = await runPowerLoss({
    points: Number(values.points),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    only: values.only,
  });
  process.exit(ok ? 0 : 1);
}
