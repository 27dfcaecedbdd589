/** Whether two engines hold the same: counts, and the SHA-256 of everything that was moved, read back from both. */
import { createHash, type Hash } from 'node:crypto';
import { type Collection, bareCollection } from '../../documents/collection.ts';
import { defaultCollection, quotedName } from '../../documents/document-name.ts';
import { everyPart } from '../../documents/document-part.ts';
import type { FileKey } from '../../storage/file-store.ts';
import type { Engine } from '../../storage/engine.ts';
import type { CollectionStats, IndexedDocument } from '../../search/document-index.ts';
import { isTerminal, type Task, type TaskStatus, taskStatuses } from '../../tasks/task.ts';
import { documentsOf, tasksOf } from './copying.ts';

export type Line = { readonly what: string; readonly source: string; readonly target: string };

export type Comparison = {
  readonly lines: readonly Line[];
  /** The first few that are not the same, by name. */
  readonly different: readonly string[];
};

type Holdings = { readonly documents: readonly IndexedDocument[]; readonly tasks: readonly Task[] };

const namedMax = 5;

/** Reads every byte of both. `onDone` is called after each document and task of the source. */
export async function compare(from: Engine, to: Engine, holdings: Holdings, onDone: () => void): Promise<Comparison> {
  const different: string[] = [];
  const hashes = { documents: pair(), tasks: pair() };
  const note = (name: string, [source, target]: readonly [string, string | null]): void => {
    if (source !== target && different.length < namedMax) different.push(name);
    onDone();
  };
  // In an order of their own, so that a place has the same digest wherever it is moved to.
  for (const { docId } of holdings.documents.toSorted((a, b) => (a.docId < b.docId ? -1 : 1))) {
    const digests = await hashBoth(hashes.documents, [from, to], (engine) => documentDigest(engine, docId));
    const parts = digests[0] === digests[1] ? '' : await differentParts(from, to, docId);
    note(`document ${quotedName(docId)}${parts}`, digests);
  }
  for (const task of holdings.tasks)
    note(`task ${task.id}`, await hashBoth(hashes.tasks, [from, to], (engine) => taskDigest(engine, task)));
  const lines: Line[] = [
    ...(await collectionLines(from, to, (name) => {
      if (different.length < namedMax) different.push(`collection ${name}`);
    })),
    ...(await countLines(from, to, holdings)),
    line('SHA-256 of the documents', ...digests(hashes.documents)),
    line('SHA-256 of the tasks', ...digests(hashes.tasks)),
  ];
  const unequal = lines.filter(({ source, target }) => source !== target).map(({ what }) => what);
  return { lines, different: [...different, ...unequal] };
}

/** What a target may hold before a move: what an earlier run of the same move has brought. Names the first thing that is not. */
export async function firstStray(from: Engine, to: Engine): Promise<string | null> {
  const [removal] = await to.collections.removals();
  if (removal !== undefined) return `the collection ${removal}, which is being deleted`;
  const said = await collectionsOf(from);
  for (const [name, collection] of await collectionsOf(to)) {
    const source = said.get(name);
    if (source === undefined || canonical(source) !== canonical(collection)) return `the collection ${name}`;
  }
  for (const { docId, version } of await documentsOf(to))
    if ((await from.index.info(docId))?.version !== version) return `the document ${quotedName(docId)}`;
  for (const { id, revision, status } of await tasksOf(to)) {
    const task = (await from.tasks.get(id))?.task;
    // What has ended may have expired at the source since.
    const isKnown = task === undefined ? isTerminal(status) : task.revision === revision;
    if (!isKnown) return `the task ${id}`;
  }
  return null;
}

/** What is said of each collection, and what each holds. `onDifferent` is told of those that are not the same. */
async function collectionLines(from: Engine, to: Engine, onDifferent: (name: string) => void): Promise<Line[]> {
  const [said, stats] = [await Promise.all([from, to].map(collectionsOf)), await Promise.all([from, to].map(statsOf))];
  const names = [...new Set([...said, ...stats].flatMap((one) => [...one.keys()]))].toSorted();
  const hashes = pair();
  for (const name of names) {
    const [source, target] = [0, 1].map((side) => canonical([name, said[side]!.get(name), stats[side]!.get(name)]));
    hashes[0].update(source!);
    hashes[1].update(target!);
    if (source !== target) onDifferent(name);
  }
  const counts = said.map((one) => String(one.size));
  return [line('collections', counts[0]!, counts[1]!), line('SHA-256 of the collections', ...digests(hashes))];
}

/** `default` is there also where nobody has ever said anything of it. */
async function collectionsOf({ collections }: Engine): Promise<ReadonlyMap<string, Collection>> {
  const all = [bareCollection(defaultCollection), ...(await collections.all())];
  return new Map(all.map((collection) => [collection.name, collection]));
}

function statsOf({ index }: Engine): Promise<ReadonlyMap<string, CollectionStats>> {
  return index.collectionStats(null);
}

async function countLines(from: Engine, to: Engine, { tasks }: Holdings): Promise<Line[]> {
  const [source, target] = await Promise.all([from.index.stats(), to.index.stats()]);
  const moved = await statuses(to, tasks);
  return [
    line('documents', String(source.documents), String(target.documents)),
    line('chunks', String(source.chunks), String(target.chunks)),
    ...taskStatuses.map((status) => {
      const isOf = (task: { status: TaskStatus } | null): boolean => task?.status === status;
      return line(`tasks ${status}`, String(tasks.filter(isOf).length), String(moved.filter(isOf).length));
    }),
  ];
}

/** Of these tasks alone: what has expired at the source may still be kept here. */
async function statuses(engine: Engine, tasks: readonly Task[]): Promise<(Task | null)[]> {
  const found: (Task | null)[] = [];
  for (const { id } of tasks) found.push((await engine.tasks.get(id))?.task ?? null);
  return found;
}

async function documentDigest(engine: Engine, docId: string): Promise<string | null> {
  const document = await engine.index.info(docId);
  if (document === null) return null;
  const hash = createHash('sha256').update(canonical(document));
  for (const part of everyPart) {
    if (part !== 'meta.json') await addFile(hash, engine, { kind: 'document', docId, version: document.version, part });
  }
  return hash.digest('hex');
}

/** What of a document is not the same, in brackets: what the index says of it, or files. Nothing where one side lacks it. */
async function differentParts(from: Engine, to: Engine, docId: string): Promise<string> {
  const [source, target] = await Promise.all([from, to].map((engine) => engine.index.info(docId)));
  if (source == null || target == null) return '';
  const parts = canonical(source) === canonical(target) ? [] : ['its description'];
  for (const part of everyPart) {
    if (part === 'meta.json') continue;
    const [one, other] = [createHash('sha256'), createHash('sha256')];
    await addFile(one, from, { kind: 'document', docId, version: source.version, part });
    await addFile(other, to, { kind: 'document', docId, version: target.version, part });
    if (one.digest('hex') !== other.digest('hex')) parts.push(part);
  }
  return ` (${parts.join(', ')})`;
}

async function taskDigest(engine: Engine, { id }: Task): Promise<string | null> {
  const task = (await engine.tasks.get(id))?.task;
  if (task === undefined) return null;
  const hash = createHash('sha256').update(canonical(task));
  await addFile(hash, engine, { kind: 'payload', taskId: id });
  return hash.digest('hex');
}

async function addFile(hash: Hash, engine: Engine, key: FileKey): Promise<void> {
  const file = await engine.files.open(key);
  hash.update(file === null ? '\nnone' : `\n${file.bytes}\n`);
  if (file !== null) for await (const piece of file.stream) hash.update(piece as Buffer);
}

/** JSON whose keys have one order. */
function canonical(value: unknown): string {
  const sorted = (_key: string, inner: unknown): unknown =>
    inner === null || typeof inner !== 'object' || Array.isArray(inner)
      ? inner
      : Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(value, sorted);
}

type Pair = readonly [Hash, Hash];

function pair(): Pair {
  return [createHash('sha256'), createHash('sha256')];
}

async function hashBoth(
  hashes: Pair,
  engines: readonly [Engine, Engine],
  digest: (engine: Engine) => Promise<string | null>,
): Promise<readonly [string, string | null]> {
  const [source, target] = await Promise.all([digest(engines[0]), digest(engines[1])]);
  hashes[0].update(source ?? 'none');
  hashes[1].update(target ?? 'none');
  return [source ?? 'none', target];
}

function digests([source, target]: Pair): [string, string] {
  return [source.digest('hex'), target.digest('hex')];
}

function line(what: string, source: string, target: string): Line {
  return { what, source, target };
}
