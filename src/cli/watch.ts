/**
 * Follows a folder: what appears, changes, moves or goes there does so on the server. The system's messages only say when to look; what
 * is right comes from looking at the whole folder, as is needed anyway on network shares, whose other users nobody hears of. Nothing is
 * remembered on the disk: what an earlier run achieved is asked from the server, as by `ingest`.
 */
import { watch as watchFolder } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { type ApiClient, sentenceOf } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { descriptionIn, type DescriptionOptions } from './description-options.ts';
import { type FileList, type ListedFile, listFiles, signatureOf } from './file-list.ts';
import { digest, ingest } from './ingest.ts';
import { silentProgress } from './ingest-progress.ts';
import type { FileOutcome } from './ingest-report.ts';
import { documentsUnder, isTooMuch, someOnTheirWay } from './mirror.ts';

/** What happened to one file or document, for people and programs. */
export type WatchEvent =
  | { readonly kind: 'inserted' | 'present' | 'consumed' | 'removed'; readonly docId: string; readonly path: string | null }
  | { readonly kind: 'failed'; readonly docId: string; readonly path: string; readonly error: string }
  | { readonly kind: 'note'; readonly error: string };

export type WatchOptions = DescriptionOptions & {
  readonly client: ApiClient;
  readonly folder: string;
  readonly prefix: string;
  readonly parallel: number;
  /** Remove from the server what has gone from the folder. */
  readonly mirror: boolean;
  /** Even if that is more than half of what is there. */
  readonly yes: boolean;
  /** Remove from the folder what the server has. Then the same name is another document each time its content is. */
  readonly consume: boolean;
  /** Longest time between two looks at the whole folder, in milliseconds. */
  readonly everyMs: number;
  /** How long a file must have stayed as it is before it is sent, in milliseconds. */
  readonly settleMs: number;
  readonly tell: (event: WatchEvent) => void;
  /** Aborts: what is on its way is finished, nothing new begun. */
  readonly signal: AbortSignal;
};

/** Half of a file that somebody else is about to rename, or a sign that an office program has it open. */
const passing = /^~\$|^\.~lock\.|\.(part|partial|crdownload|download|tmp|temp|filepart)$/i;
/** How many times the time that a file must stay as it is, for all that is new to be there before what is gone is removed. */
const movingTimes = 10;

/**
 * Until `signal` aborts.
 * @throws CliError `usage` when the folder is none at the start; `refused` when the server does not take the key. A server that is away
 * for longer than the client's patience is told of and waited for.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { folder, signal, settleMs, everyMs } = options;
  if (!(await isFolder(folder))) throw new CliError(`There is no such folder: ${folder}`, exitCodes.usage);
  const bell = listen(options);
  const follower = new Follower(options);
  try {
    while (!signal.aborted) {
      const isSettled = await follower.look();
      await (isSettled ? bell.heard(everyMs) : bell.pause(settleMs));
      // What was heard of is hardly ever over: the first message of many, or of a file that grows.
      if (isSettled && !signal.aborted) await bell.pause(settleMs);
    }
  } finally {
    bell.close();
  }
}

/** What is known between two looks. */
class Follower {
  readonly #options: WatchOptions;
  /** By path: the signature with which the file was dealt with, for good or ill. */
  readonly #dealtWith = new Map<string, string>();
  /** By path: the signature that was seen, and since when. */
  #seen = new Map<string, { readonly signature: string; readonly sinceMs: number }>();
  /** The documents on the server that come from this folder, as far as is known. */
  readonly #there = new Set<string>();
  /** Whether these are all: uploads of a run that was killed, or whose answer was lost, may become documents later. */
  #knowsAll = false;
  /** Those that were not in the folder when it was last looked at, and since when. */
  #missing = new Map<string, number>();
  #isFirst = true;
  #lastNote = '';

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Looks once, and does what is to be done. True when there was nothing that has to be looked at again soon. */
  async look(): Promise<boolean> {
    try {
      const list = await listFiles([this.#options.folder], this.#options.prefix);
      if (!this.#knowsAll && this.#options.mirror) await this.#askWhatIsThere(list);
      const { settled, waiting } = this.#sort(list);
      const isSent = await this.#send(settled);
      const isRemoved = isSent && this.#options.mirror ? await this.#removeMissing(list, waiting) : isSent;
      if (isSent) this.#lastNote = '';
      return isRemoved && waiting === 0;
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode === exitCodes.refused) throw error;
      this.#note(error.message);
      return true;
    }
  }

  async #askWhatIsThere(list: FileList): Promise<void> {
    const [listed] = list.folders;
    if (listed === undefined) return;
    // In this order: what ends between the two questions is among the documents.
    const isMoreComing = await someOnTheirWay(this.#options.client, listed);
    for (const docId of await documentsUnder(this.#options.client, listed)) this.#there.add(docId);
    this.#knowsAll = !isMoreComing;
  }

  /** Files not dealt with yet: those that have stayed as they are for long enough, and how many have not. */
  #sort(list: FileList): { settled: ListedFile[]; waiting: number } {
    const now = performance.now();
    const before = this.#seen;
    this.#seen = new Map();
    const settled: ListedFile[] = [];
    let waiting = 0;
    for (const file of list.files) {
      const { path, signature } = file;
      if (this.#dealtWith.get(path) === signature || passing.test(basename(path))) continue;
      const seen = before.get(path);
      const sinceMs = seen?.signature === signature ? seen.sinceMs : now;
      this.#seen.set(path, { signature, sinceMs });
      if (now - sinceMs >= this.#options.settleMs) settled.push(file);
      else waiting += 1;
    }
    const paths = new Set(list.files.map(({ path }) => path));
    for (const path of this.#dealtWith.keys()) if (!paths.has(path)) this.#dealtWith.delete(path);
    return { settled, waiting };
  }

  /** False when something is left to be tried again soon. */
  async #send(settled: readonly ListedFile[]): Promise<boolean> {
    const { client, parallel, consume, signal } = this.#options;
    const files = consume ? await withOwnNames(settled) : settled;
    if (files.length === 0) return true;
    const told = new Map(files.map((file) => [file.path, file]));
    const outcomes: Promise<void>[] = [];
    const progress = {
      ...silentProgress,
      done: (outcome: FileOutcome) => void outcomes.push(this.#dealWith(told.get(outcome.path)!, outcome)),
    };
    // What a run before this one left is asked for once: from then on it is known here.
    const again = !this.#isFirst;
    const { stoppedBy, report } = await ingest({
      client,
      files,
      unreadable: [],
      parallel,
      again,
      callbackUrl: null,
      ...descriptionIn(this.#options),
      progress,
      waitSeconds: 20,
      signal,
    });
    await Promise.all(outcomes);
    this.#isFirst = stoppedBy !== null;
    if (stoppedBy !== null) {
      this.#knowsAll = false;
      throw stoppedBy;
    }
    return report.not_sent === 0;
  }

  async #dealWith(file: ListedFile, { outcome, error, error_code: code }: FileOutcome): Promise<void> {
    const { tell, consume } = this.#options;
    const { path, docId, signature } = file;
    if (outcome === 'not_sent') return;
    if (outcome === 'failed') {
      // Its answer may have been lost, and the upload taken.
      this.#knowsAll = false;
      // It changed, or went: the next look finds what there is now.
      if (!(await isStill(file))) return;
      if (code === null || !laterCodes.includes(code)) this.#dealtWith.set(path, signature);
      return tell({ kind: 'failed', docId, path, error: error ?? 'unknown' });
    }
    this.#there.add(docId);
    this.#missing.delete(docId);
    this.#dealtWith.set(path, signature);
    if (consume) {
      if (!(await isStill(file))) return;
      await unlink(path);
    }
    tell({ kind: consume ? 'consumed' : outcome, docId, path });
  }

  /**
   * What was missing at two looks, one after the other: a program that saves a file removes it for a moment. A file that was moved must be
   * there under its new name first, as long as that does not take for ever.
   */
  async #removeMissing(list: FileList, waiting: number): Promise<boolean> {
    const { client, tell, yes, settleMs } = this.#options;
    const there = this.#there;
    const now = performance.now();
    const patienceMs = waiting === 0 ? 0 : movingTimes * settleMs;
    const missing = list.folders[0]?.isWhole === true ? [...there].filter((docId) => !list.seen.has(docId.normalize('NFC'))) : [];
    const gone = missing.filter((docId) => now - (this.#missing.get(docId) ?? Infinity) >= patienceMs);
    this.#missing = new Map(missing.map((docId) => [docId, this.#missing.get(docId) ?? now]));
    if (!yes && isTooMuch(gone.length, there.size)) {
      this.#note(
        `${gone.length} of ${there.size} documents are no longer in ${this.#options.folder}: nothing is deleted. If this is intended, start again with --yes.`,
      );
      return true;
    }
    for (const docId of gone) {
      const reply = await client.send({ method: 'DELETE', path: ['documents', docId] });
      if (reply.status !== 200 && reply.status !== 404) {
        this.#note(`${docId}: ${sentenceOf(reply)}`);
        continue;
      }
      there.delete(docId);
      this.#missing.delete(docId);
      tell({ kind: 'removed', docId, path: null });
    }
    return this.#missing.size === 0;
  }

  /** Each thing once, not at every look. */
  #note(error: string): void {
    if (error === this.#lastNote) return;
    this.#lastNote = error;
    this.#options.tell({ kind: 'note', error });
  }
}

/** What may be otherwise later though the file stays the same. */
const laterCodes = [
  'unavailable',
  'queue_full',
  'insufficient_storage',
  'internal',
  'cancelled',
  'rate_limited',
  'request_timeout',
];

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function isStill({ path, signature }: ListedFile): Promise<boolean> {
  return stat(path, { bigint: true }).then(
    (info) => signatureOf(info) === signature,
    () => false,
  );
}

/** `scan.pdf` of a scanner is another document each time: its doc_id ends with the beginning of its SHA-256. */
async function withOwnNames(files: readonly ListedFile[]): Promise<ListedFile[]> {
  const named: ListedFile[] = [];
  for (const file of files) {
    const sha256 = await digest(file.path).catch(() => null);
    if (sha256 === null) continue;
    const name = basename(file.docId);
    const stem = basename(name, extname(name));
    named.push({ ...file, docId: join(dirname(file.docId), `${stem}-${sha256.slice(0, 12)}${extname(name)}`) });
  }
  return named;
}

type Bell = {
  /** Until something happens in the folder, at most so long. */
  heard(ms: number): Promise<void>;
  pause(ms: number): Promise<void>;
  close(): void;
};

/** The system's messages about a folder and all in it. Where there are none the looks must do. */
function listen({ folder, signal, tell }: WatchOptions): Bell {
  let rang = false;
  let wake = (): void => {};
  const ring = (): void => {
    rang = true;
    wake();
  };
  const watcher = watchFolder(folder, { recursive: true }, ring);
  watcher.on('error', ({ message }) => {
    tell({ kind: 'note', error: `The system does not report changes (${message}); the folder is checked from time to time.` });
    watcher.close();
  });

  const wait = (ms: number, until: 'ring' | 'end'): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        wake = () => {};
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
      if (until === 'ring') wake = done;
      if (signal.aborted || (until === 'ring' && rang)) done();
    });

  return {
    async heard(ms) {
      await wait(ms, 'ring');
      rang = false;
    },
    pause: (ms) => wait(ms, 'end'),
    close: () => watcher.close(),
  };
}
