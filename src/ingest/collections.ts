/**
 * The collections: made, changed, counted, and removed with everything in them. A removal that was begun is gone on with after a
 * crash, and so is the reading again that a change of settings asks for; the old text serves until then.
 */
import {
  bareCollection,
  type Collection,
  type CollectionSettings,
  defaultSettings,
  isReadOtherwise,
} from '../documents/collection.ts';
import { defaultCollection, isCollectionName } from '../documents/document-name.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { CollectionStats } from '../search/document-index.ts';
import type { Engine } from '../storage/engine.ts';
import { isTerminal, type TaskId, taskStatuses } from '../tasks/task.ts';
import type { CancelOutcome } from '../tasks/task-store.ts';
import { rereadAll, type RereadingRules } from './rereading.ts';

export type CollectionView = Collection & CollectionStats;

export type CollectionChange = Partial<Pick<Collection, 'title' | 'description'>> & {
  readonly settings?: Partial<CollectionSettings>;
};

/** `reach`: the names that the caller may know of; null: all. */
export interface Collections {
  exists(name: string): Promise<boolean>;
  /** Those that exist, by their names. */
  names(reach: readonly string[] | null): Promise<readonly string[]>;
  list(reach: readonly string[] | null): Promise<readonly CollectionView[]>;
  get(name: string): Promise<CollectionView | null>;
  /** What its settings are; those of one that is not there are the server's. */
  settings(name: string): Promise<CollectionSettings>;
  /** Makes or changes it. Durable. @throws AppError `invalid_request`; `conflict` while one of this name is being removed. */
  put(name: string, change: CollectionChange): Promise<{ readonly collection: CollectionView; readonly created: boolean }>;
  /** With everything in it: documents, files, tasks. Durable when it returns. False when there is none. @throws AppError `unavailable`. */
  remove(name: string): Promise<boolean>;
  /** Goes on with what a crash has interrupted. */
  start(): void;
  /** What runs ends between two documents; the next start goes on with it. */
  stop(): Promise<void>;
}

export type CollectionsOptions = {
  readonly engine: Engine;
  readonly cancel: (id: TaskId, options: { force: boolean }) => Promise<CancelOutcome>;
  readonly rereading: RereadingRules;
  /** Tokens of a chunk where a collection says nothing. */
  readonly chunkTokens: number;
  /** ISO 8601. */
  readonly now: () => string;
  readonly logger: Logger;
};

const noDocuments: CollectionStats = { documents: 0, chunks: 0, bytes: 0 };
/** Documents and tasks removed at once. */
const removedAtOnce = 200;
const filesAtOnce = 8;
/** Looks through a collection that is being removed while uploads that were on their way still come in. */
const removalRoundsMax = 100;
/** Documents of one collection that are read again at once, and after how many of them it is noted how far that has come. */
const rereadAtOnce = 2;
const notedEvery = 50;

export function createCollections(options: CollectionsOptions): Collections {
  const { engine, now, logger } = options;
  const store = () => engine.collections;
  const stopping = new AbortController();
  const removals = new Map<string, Promise<void>>();
  const rereadings = new Map<string, { readonly again: AbortController; readonly done: Promise<void> }>();
  const changing = new Map<string, Promise<unknown>>();

  /** Names come from strangers, and stores make places of them: only what may be a name gets there. */
  async function kept(name: string): Promise<Collection | null> {
    return isCollectionName(name) ? store().get(name) : null;
  }

  async function find(name: string): Promise<Collection | null> {
    return (await kept(name)) ?? (name === defaultCollection ? bareCollection(name) : null);
  }

  async function all(reach: readonly string[] | null): Promise<readonly Collection[]> {
    const made = await store().all();
    const there = made.some(({ name }) => name === defaultCollection) ? made : [bareCollection(defaultCollection), ...made];
    return reach === null ? there : there.filter(({ name }) => reach.includes(name));
  }

  async function view(collection: Collection): Promise<CollectionView> {
    const stats = await engine.index.collectionStats([collection.name]);
    return { ...collection, ...(stats.get(collection.name) ?? noDocuments) };
  }

  /** Changes of one collection come one after the other, or one would be lost behind the other. */
  function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const mine = (changing.get(name) ?? Promise.resolve()).then(work, work);
    changing.set(name, mine);
    const forget = (): void => void (changing.get(name) === mine && changing.delete(name));
    mine.then(forget, forget);
    return mine;
  }

  async function change(name: string, wanted: CollectionChange): Promise<{ collection: Collection; created: boolean }> {
    if (!isCollectionName(name))
      throw new AppError('invalid_request', `collection: ${JSON.stringify(name)} is not the name of a collection`);
    const before = await kept(name);
    const { settings: given, ...said } = wanted;
    const old = before ?? { ...bareCollection(name), createdAt: now() };
    const settings = { ...old.settings, ...given };
    checkSettings(settings, options.chunkTokens);
    const recut = isReadOtherwise(old.settings, settings);
    const next = { ...old, ...said, settings, rereadUpTo: recut ? '' : old.rereadUpTo };
    if (!(await store().put(next))) throw beingRemoved();
    if (recut) reread(name);
    return { collection: next, created: before === null && name !== defaultCollection };
  }

  /** Reads what is in it again, from the beginning when it was under way. */
  function reread(name: string): void {
    const before = rereadings.get(name);
    before?.again.abort();
    const again = new AbortController();
    const done = (before?.done ?? Promise.resolve())
      .then(() => rereadNow(name, AbortSignal.any([again.signal, stopping.signal])))
      .catch((error: unknown) => logger.warn({ err: error, collection: name }, 'reading a collection again is postponed'))
      .finally(() => void (rereadings.get(name)?.again === again && rereadings.delete(name)));
    rereadings.set(name, { again, done });
  }

  async function rereadNow(name: string, signal: AbortSignal): Promise<void> {
    const collection = await store().get(name);
    if (collection?.rereadUpTo == null || signal.aborted) return;
    let noted = 0;
    const note = (rereadUpTo: string | null): Promise<void> =>
      alone(name, async () => {
        const current = await store().get(name);
        if (current !== null && !signal.aborted) await store().put({ ...current, rereadUpTo });
      });
    const { documents } = await rereadAll({
      ...options.rereading,
      engine,
      collection: name,
      atOnce: rereadAtOnce,
      after: collection.rereadUpTo === '' ? null : collection.rereadUpTo,
      onDone({ done, upTo }) {
        if (done - noted < notedEvery || upTo === null) return;
        noted = done;
        void note(upTo).catch(() => undefined);
      },
      signal,
    });
    if (signal.aborted) return;
    await note(null);
    logger.info({ collection: name, documents }, 'a collection was read again by its new settings');
  }

  function removeContents(name: string): Promise<void> {
    const running = removals.get(name) ?? removeAll(engine, options.cancel, name).finally(() => removals.delete(name));
    removals.set(name, running);
    return running;
  }

  async function resume(): Promise<void> {
    for (const name of await store().removals()) {
      await removeContents(name);
      logger.info({ collection: name }, 'the removal of a collection that was interrupted has ended');
    }
    for (const { name, rereadUpTo } of await store().all()) if (rereadUpTo !== null) reread(name);
  }

  return {
    exists: async (name) => name === defaultCollection || (await kept(name)) !== null,
    names: async (reach) => (await all(reach)).map(({ name }) => name),
    async list(reach) {
      const [collections, stats] = await Promise.all([all(reach), engine.index.collectionStats(reach)]);
      return collections.map((collection) => ({ ...collection, ...(stats.get(collection.name) ?? noDocuments) }));
    },
    async get(name) {
      const found = await find(name);
      return found === null ? null : view(found);
    },
    settings: async (name) => (await kept(name))?.settings ?? defaultSettings,
    async put(name, wanted) {
      const { collection, created } = await alone(name, () => change(name, wanted));
      return { collection: await view(collection), created };
    },
    async remove(name) {
      if (name === defaultCollection)
        throw new AppError('conflict', 'The collection `default` always exists; delete its documents instead.');
      if (!isCollectionName(name) || !(await alone(name, () => store().beginRemoval(name)))) return false;
      rereadings.get(name)?.again.abort();
      await removeContents(name);
      return true;
    },
    start: () =>
      void resume().catch((error: unknown) => logger.warn({ err: error }, 'interrupted changes of collections are postponed')),
    async stop() {
      stopping.abort();
      await Promise.all([...rereadings.values()].map(({ done }) => done));
    },
  };
}

function checkSettings({ chunkTokens, chunkOverlap }: CollectionSettings, usualTokens: number): void {
  const tokens = chunkTokens ?? usualTokens;
  if ((chunkOverlap ?? 0) > tokens / 2)
    throw new AppError(
      'invalid_request',
      `settings.chunk_overlap: must be at most half of a chunk (${Math.floor(tokens / 2)} tokens)`,
    );
}

function beingRemoved(): AppError {
  return new AppError('conflict', 'A collection of this name is being deleted; try again in a moment.', { retryAfterSeconds: 2 });
}

/**
 * Everything that is in a collection, and at last its record. Nobody sees it any more, so the order is that of a to-do list: what is
 * left after a crash is found by the same looks. @throws AppError `unavailable` when it does not come to an end.
 */
async function removeAll(engine: Engine, cancel: CollectionsOptions['cancel'], collection: string): Promise<void> {
  for (let round = 0; round < removalRoundsMax; round += 1) {
    await cancelLive(engine, cancel, collection);
    const documents = await removeDocuments(engine, collection);
    const tasks = await removeTasks(engine, collection);
    if (documents + tasks > 0) continue;
    return engine.collections.endRemoval(collection);
  }
  throw new AppError('unavailable', 'The collection is still being deleted; try again in a moment.', { retryAfterSeconds: 5 });
}

async function cancelLive(engine: Engine, cancel: CollectionsOptions['cancel'], collection: string): Promise<void> {
  for (const status of taskStatuses.filter((each) => !isTerminal(each))) {
    const { tasks } = await engine.tasks.list({ collection, status, limit: 1000 });
    for (const { task } of tasks) await cancel(task.id, { force: true });
  }
}

/** The files first: what the index still lists is not done yet. */
async function removeDocuments(engine: Engine, collection: string): Promise<number> {
  const { documents } = await engine.index.list({ collection, limit: removedAtOnce });
  if (documents.length === 0) return 0;
  const ordinal = await engine.nextOrdinal();
  for (let from = 0; from < documents.length; from += filesAtOnce)
    await Promise.all(documents.slice(from, from + filesAtOnce).map(({ docId }) => engine.files.remove(docId, ordinal)));
  await engine.index.removeMany(
    documents.map(({ docId }) => docId),
    ordinal,
  );
  return documents.length + (await removeDocuments(engine, collection));
}

async function removeTasks(engine: Engine, collection: string): Promise<number> {
  const { tasks } = await engine.tasks.list({ collection, limit: removedAtOnce });
  let removed = 0;
  for (const { task } of tasks) if (await engine.tasks.remove(task.id)) removed += 1;
  return removed === 0 ? 0 : removed + (await removeTasks(engine, collection));
}
