/**
 * An engine for a process that goes on when another one has declared it dead (it was frozen, or cut off): what it held is lost, so
 * it takes part again as a new owner. Until that is done everything is refused as `unavailable`; who watches tasks is told of what was
 * missed. A worker ends instead, and its supervisor starts another: what runs in its threads belongs to the old owner.
 */
import type { IncomingReceipt, Receipt } from './file-store.ts';
import type { Logger } from '../logger.ts';
import type { TaskId, TaskSnapshot } from '../tasks/task.ts';
import { notReady } from '../trouble.ts';
import type { Engine } from './engine.ts';

type Listener = (snapshot: TaskSnapshot) => void;
type Watcher = { readonly id: TaskId | null; readonly listener: Listener; readonly what: 'all' | 'end'; stop: () => void };

/** How long to wait before taking part is tried again. */
const againMs = 500;
/** Tasks that are looked through for what was missed. */
const missedTasksMax = 1000;

/**
 * Opens an engine by `open`, and another one whenever it is lost. Its own `lost` never aborts.
 * @throws what `open` throws the first time; afterwards it is tried until it succeeds.
 */
export async function openLastingEngine(options: {
  readonly open: () => Promise<Engine>;
  /** ISO 8601. */
  readonly now: () => string;
  readonly logger: Logger;
}): Promise<Engine> {
  const { open, now, logger } = options;
  const watchers = new Set<Watcher>();
  /** A receipt is of use only to the owner that made it. */
  const makers = new WeakMap<Receipt, Engine>();
  const closed = new AbortController();
  let heardAt = now();
  let current: Engine | null = null;
  let settling: Promise<unknown> = Promise.resolve();

  function engine(): Engine {
    if (current === null) throw notReady('this process rejoins as another owner');
    return current;
  }

  function use(opened: Engine): void {
    current = opened;
    for (const watcher of watchers) watcher.stop = listen(opened, watcher);
    opened.lost.addEventListener('abort', () => replace(opened), { once: true });
    if (opened.lost.aborted) replace(opened);
  }

  function replace(lost: Engine): void {
    if (current !== lost || closed.signal.aborted) return;
    current = null;
    logger.warn({}, 'another process took over the work of this one; rejoining as a new owner');
    const ending = lost.close().catch((error: unknown) => logger.debug({ err: error }, 'the owner of before could not be closed'));
    settling = Promise.all([settling, ending, takePartAgain()]);
  }

  async function takePartAgain(): Promise<void> {
    for (let said = ''; !closed.signal.aborted;) {
      try {
        const opened = await open();
        if (closed.signal.aborted) return await opened.close();
        use(opened);
        logger.info({}, 'taking part again');
        return await tellMissed(opened);
      } catch (error) {
        const { message } = error as Error;
        logger[said === message ? 'debug' : 'warn']({ err: error }, 'this process cannot rejoin yet; trying again');
        said = message;
        await pause(againMs, closed.signal);
      }
    }
  }

  function tell({ listener }: Watcher, snapshot: TaskSnapshot): void {
    if (snapshot.task.updatedAt > heardAt) heardAt = snapshot.task.updatedAt;
    listener(snapshot);
  }

  /** Everything that changed since something was heard the last time; the same may be told twice. */
  async function tellMissed({ tasks }: Engine): Promise<void> {
    const since = heardAt;
    const { tasks: newest } = await tasks.list({ limit: missedTasksMax });
    const missed = newest.filter(({ task }) => task.updatedAt >= since);
    for (const watcher of watchers) {
      const { id } = watcher;
      const one = id === null ? null : await tasks.get(id);
      for (const snapshot of id === null ? missed.toReversed() : one === null ? [] : [one]) tell(watcher, snapshot);
    }
  }

  function listen({ tasks }: Engine, watcher: Watcher): () => void {
    return tasks.watch(watcher.id, (snapshot) => tell(watcher, snapshot), watcher.what);
  }

  function watch(id: TaskId | null, listener: Listener, what: 'all' | 'end' = 'all'): () => void {
    const watcher: Watcher = { id, listener, what, stop: () => {} };
    watchers.add(watcher);
    if (current !== null) watcher.stop = listen(current, watcher);
    return () => {
      watchers.delete(watcher);
      watcher.stop();
    };
  }

  async function receive(wanted: Parameters<Engine['files']['receive']>[0]): Promise<IncomingReceipt> {
    const maker = engine();
    const receipt = await maker.files.receive(wanted);
    makers.set(receipt, maker);
    return receipt;
  }

  async function receiveAll(contents: readonly Uint8Array[]): Promise<readonly Receipt[]> {
    const maker = engine();
    const receipts = await maker.files.receiveAll(contents);
    for (const receipt of receipts) makers.set(receipt, maker);
    return receipts;
  }

  async function withMaker<T>(receipts: readonly Receipt[], work: (engine: Engine) => Promise<T>): Promise<T> {
    const maker = engine();
    if (receipts.some((receipt) => makers.get(receipt) !== maker)) throw notReady('this upload was received by the previous owner');
    return work(maker);
  }

  use(await open());
  return {
    tasks: following(() => engine().tasks, { watch }),
    queue: following(() => engine().queue, {}),
    files: following(() => engine().files, { receive, receiveAll }),
    index: following(() => engine().index, {}),
    collections: following(() => engine().collections, {}),
    nextOrdinal: async () => engine().nextOrdinal(),
    continueAfter: async (ordinal) => engine().continueAfter(ordinal),
    submit: (task, receipt) => withMaker([receipt], (maker) => maker.submit(task, receipt)),
    submitAll: (arrivals) =>
      withMaker(
        arrivals.map(({ receipt }) => receipt),
        (maker) => maker.submitAll(arrivals),
      ),
    importTask: (task, receipt) => withMaker(receipt === null ? [] : [receipt], (maker) => maker.importTask(task, receipt)),
    transaction: async (work) => engine().transaction(work),
    standbys: () => current?.standbys?.() ?? [],
    others: async () => engine().others(),
    async state() {
      return current === null ? { state: 'unusable', reason: 'this process rejoins as another owner' } : current.state();
    },
    lost: new AbortController().signal,
    async close() {
      closed.abort();
      await Promise.all([current?.close(), settling]);
    },
  };
}

/** What `target` returns at each call; its methods reject while that throws. `own` stands before it. */
export function following<T extends object>(target: () => T, own: Partial<T>): T {
  return new Proxy<T>(own as T, {
    get(_own, name) {
      const mine: unknown = Reflect.get(own, name);
      // Whoever awaits this must not take it for a promise.
      if (mine !== undefined || name === 'then') return mine;
      return (...args: unknown[]): unknown => {
        try {
          const followed = target();
          return Reflect.apply(Reflect.get(followed, name) as () => unknown, followed, args);
        } catch (error) {
          return Promise.reject(error as Error);
        }
      };
    },
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
