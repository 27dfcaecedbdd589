/**
 * A folder that changes at random while `rag-intake watch --mirror` follows it and server and watcher are killed: at the end the server
 * has what the folder has, found by a walk, and never had a file that was half written.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { randomFrom } from '../crash/random.ts';
import { startCommand, type RunningCommand } from './command.ts';
import { freePort } from './free-port.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from './server.ts';
import { until } from './until.ts';

export type WatchedRun = { readonly files: number; readonly changes: number; readonly seed: number };

export type WatchedOutcome = {
  /** In the folder at the end. */
  readonly files: number;
  /** By doc_id, what is not as it should be. */
  readonly wrong: readonly string[];
  readonly halves: readonly string[];
  /** Files that were being written for longer than it takes to look at them twice. */
  readonly slowlyWritten: number;
  readonly kinds: Readonly<Record<string, number>>;
};

type Version = { readonly doc_id: string; readonly sha256: string };

const settleMs = 1000;
/** One in so many files is written slowly: in pieces, each sooner after the other than a file must stay as it is before it is read. */
const slowOneIn = 8;
const slowPieces = 6;
/** Between two changes: so slow that the watcher looks many times while they go on. */
const changeMs = 30;
/** For so long nothing at all happens, before what is still wrong is taken for the end. */
const standstillMs = 180_000;

export async function followChanges({ files, changes, seed }: WatchedRun): Promise<WatchedOutcome> {
  const random = randomFrom(seed);
  const root = await mkdtemp(join(tmpdir(), 'rag-intake-watched-'));
  const folder = join(root, 'folder');
  const port = await freePort();
  const dataDir = await makeDataDir();
  const serve = (): Promise<TestServer> => startServer({ dataDir, env: { PORT: String(port) } });
  let server = await serve();
  let version = 0;
  const kinds: Record<string, number> = {};
  const halves = new Set<string>();
  const whole = new Set<string>();
  const watchIt = (): RunningCommand =>
    startCommand(['watch', folder, '--mirror', '--yes', '--settle', String(settleMs / 1000), '--every', '2', '--json'], {
      RAG_INTAKE_URL: server.url,
    });
  /** By path, what is being written slowly just now. */
  const writing = new Map<string, Promise<void>>();
  let slowlyWritten = 0;
  await mkdir(folder);
  for (let n = 0; n < files; n += 1) await write(newPath(), { slowly: false });
  let watcher = watchIt();

  const killAt = [0.3, 0.7].map((share) => Math.floor(changes * share));
  for (let n = 0; n < changes; n += 1) {
    await change();
    await new Promise((resolve) => setTimeout(resolve, changeMs));
    if (killAt.includes(n)) {
      await server.kill();
      server = await serve();
    }
    if (n === Math.floor(changes / 2)) {
      watcher.process.kill('SIGKILL');
      await watcher.result;
      watcher = watchIt();
    }
  }

  let wrong: string[] = [];
  try {
    await Promise.all(writing.values());
    for (let before = ''; ; before = String(wrong)) {
      const isNews = async (): Promise<boolean> => String((wrong = await differences())) !== before || wrong.length === 0;
      const isStill = await until('something changes', isNews, standstillMs).catch((error: unknown) => error);
      if (isStill !== undefined || wrong.length === 0) break;
    }
    await lookForHalves();
    return { files: (await walk(folder)).length, wrong, halves: [...halves], slowlyWritten, kinds };
  } finally {
    watcher.process.kill('SIGTERM');
    await watcher.result;
    await server.stop();
    await removeDir(dataDir);
    await rm(root, { recursive: true, force: true });
  }

  function newPath(): string {
    const name = `${random.whole(0, 9)}/第${random.whole(0, 4)}类/file-${randomBytes(4).toString('hex')}.txt`;
    return join(folder, name);
  }

  function textOf(path: string): string {
    version += 1;
    const lines = Array.from(
      { length: random.whole(1, 20) },
      (_, line) => `line ${line} of version ${version} of ${basename(path)}`,
    );
    const text = `${lines.join('\n')}\nlast line`;
    whole.add(digestOf(text));
    return text;
  }

  async function write(path: string, { slowly = random.whole(1, slowOneIn) === 1 } = {}): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const text = textOf(path);
    const file = await open(path, 'w');
    if (!slowly) return closing(file, inPieces(file, text));
    slowlyWritten += 1;
    const written = closing(file, inTime(file, text)).finally(() => writing.delete(path));
    writing.set(path, written);
  }

  async function closing(file: FileHandle, work: Promise<void>): Promise<void> {
    try {
      await work;
    } finally {
      await file.close();
    }
  }

  /** Not all at once, as a copy over a network would come. */
  async function inPieces(file: FileHandle, text: string): Promise<void> {
    const middle = Math.floor(text.length / 2);
    await file.write(text.slice(0, middle));
    await new Promise(setImmediate);
    await file.write(text.slice(middle));
  }

  /** On a machine so busy that the next piece comes too late, what there is by then may be taken for all. */
  async function inTime(file: FileHandle, text: string): Promise<void> {
    const bytes = Math.ceil(text.length / slowPieces);
    let writtenAt = performance.now();
    for (let end = bytes; ; end += bytes) {
      await file.write(text.slice(end - bytes, end));
      if (performance.now() - writtenAt > settleMs / 2) whole.add(digestOf(text.slice(0, end - bytes)));
      writtenAt = performance.now();
      if (end >= text.length) return;
      await new Promise((resolve) => setTimeout(resolve, settleMs / 4));
    }
  }

  async function change(): Promise<void> {
    const there = (await walk(folder)).filter((path) => !writing.has(path));
    const one = there[random.whole(0, Math.max(0, there.length - 1))];
    const kind = one === undefined ? 'create' : random.pick(['create', 'change', 'move', 'remove', 'replace']);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (kind === 'create') return write(newPath());
    if (kind === 'change') return write(one!);
    if (kind === 'remove') return rm(one!);
    const target = newPath();
    await mkdir(dirname(target), { recursive: true });
    if (kind === 'move') return rename(one!, target);
    await write(`${one!}.tmp`, { slowly: false });
    return rename(`${one!}.tmp`, one!);
  }

  async function differences(): Promise<string[]> {
    const wanted = new Map<string, string>();
    for (const path of await walk(folder)) wanted.set(`folder/${relative(folder, path)}`, await readFile(path, 'utf8'));
    const documents = await listed<Version>('documents');
    const different: string[] = [];
    for (const { doc_id: docId, sha256 } of documents) {
      const text = wanted.get(docId);
      wanted.delete(docId);
      if (text === undefined) different.push(`${docId} is gone from the folder`);
      else if (digestOf(text) !== sha256) different.push(`${docId} is another version`);
    }
    return [...different, ...[...wanted.keys()].map((docId) => `${docId} is not there`)];
  }

  /** Every version that was ever taken must be one that was written whole. */
  async function lookForHalves(): Promise<void> {
    for (const { doc_id: docId, sha256 } of await listed<Version>('tasks')) if (!whole.has(sha256)) halves.add(docId);
  }

  async function listed<T>(what: 'documents' | 'tasks'): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const response = await fetch(`${server.url}/${what}?limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = (await response.json()) as { documents?: T[]; tasks?: T[]; next_cursor: string | null };
      found.push(...(page.documents ?? page.tasks ?? []));
      cursor = page.next_cursor;
    }
    return found;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function walk(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
