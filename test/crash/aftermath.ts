/** What must hold in a data directory after a crash, once another process has taken over: read from the disk, past the engine. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/storage/engine.ts';
import { type FileEngineOptions, openFileEngine } from '../../src/storage/file/engine.ts';
import { logNames } from '../../src/storage/file/tasks/record-log.ts';
import { type Task, isTaskId } from '../../src/tasks/task.ts';
import { switchCounts } from '../support/arbiter-index.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';
import { until } from '../support/until.ts';
import { type HistoryEntry, judgeHistory, type Journal } from './history.ts';
import { drain, runNext } from './life.ts';

/** The shortest lease there is: whoever is killed or stopped is declared dead after it, and every case waits for that. */
export const leaseMs = 2000;

/** A new front end and a new worker, as after a restart. */
export async function openBoth(dataDir: string, overrides: Partial<FileEngineOptions> = {}): Promise<[Engine, Engine]> {
  const front = await openFileEngine({ ...fileEngineOptions(dataDir, 'frontend'), leaseMs, ...overrides });
  try {
    return [front, await openFileEngine({ ...fileEngineOptions(dataDir, 'worker'), leaseMs, ...overrides })];
  } catch (error) {
    await front.close();
    throw error;
  }
}

/**
 * Takes over, runs everything that waits, lets maintenance sweep, closes, and judges: the history that `journals` gives
 * when all is over, what is on the disk, what should not be. Returns what is wrong, in sentences.
 */
export async function judgeAftermath(
  dataDir: string,
  journals: () => HistoryEntry[][],
  tell: Journal,
  overrides: Partial<FileEngineOptions> = {},
): Promise<string[]> {
  const engines = await openBoth(dataDir, overrides);
  const [, worker] = engines;
  try {
    const ended = await until('everything has ended', async () => {
      await drain(worker, tell);
      return records(dataDir).every((task) => task === null || task.status === 'completed' || task.status === 'failed');
    }).then(
      () => [],
      (error: unknown) => [
        `${String(error)}: ${JSON.stringify(records(dataDir).filter((task) => task?.status !== 'completed' && task?.status !== 'failed'))}`,
        ...leftovers(dataDir, 2),
      ],
    );
    if (ended.length > 0) return ended;
    await until('nothing is left over', () => takeWhatIsLeft(worker, dataDir, tell), 6 * leaseMs).catch(() => undefined);
    const wrong = await judge(dataDir, journals(), worker);
    for (const engine of engines) await engine.close();
    return [...wrong, ...leftovers(dataDir, 0)];
  } finally {
    for (const engine of engines) await engine.close();
  }
}

/** As a worker goes on: a power cut may leave the marker of a task that has ended, to be taken once its document is free. */
async function takeWhatIsLeft(worker: Engine, dataDir: string, tell: Journal): Promise<boolean> {
  await runNext(worker, tell, 50);
  return leftovers(dataDir, 2).length === 0;
}

async function judge(dataDir: string, journals: HistoryEntry[][], worker: Engine): Promise<string[]> {
  const all = records(dataDir);
  const tasks = new Map(all.filter((task) => task !== null).map((task) => [task.id as string, task]));
  const committed = new Set<string>();
  for (const task of tasks.values()) if (await worker.index.wasCommitted(task.docId, task.id)) committed.add(task.id);
  const switches = switchCounts(join(dataDir, 'index'));
  const wrong = judgeHistory({ journals, tasks, switches, wasCommitted: ({ id }) => committed.has(id) });
  const unreadable = all.filter((task) => task === null).length + namesIn(join(dataDir, 'corrupt')).length;
  return unreadable === 0 ? wrong : [...wrong, `${unreadable} unparsable records`];
}

/** Every record; null for one that cannot be parsed. */
export function records(dataDir: string): (Task | null)[] {
  const found: (Task | null)[] = [];
  for (const bucket of namesIn(join(dataDir, 'tasks'))) {
    for (const name of namesIn(join(dataDir, 'tasks', bucket))) {
      if (!isTaskId(name.replace(/\.json$/, '')) || !name.endsWith('.json')) continue;
      const text = readIfThere(join(dataDir, 'tasks', bucket, name));
      if (text !== null) found.push(parseTask(text));
    }
  }
  return found;
}

/** Files that nobody needs any more. `ownersMax`: engines that are open. */
export function leftovers(dataDir: string, ownersMax: number): string[] {
  const found: string[] = [];
  const leases = namesIn(join(dataDir, 'queue', 'active'));
  if (leases.length > ownersMax) found.push(`lease directories: ${leases.join(' ')}`);
  for (const lease of leases)
    for (const name of namesIn(join(dataDir, 'queue', 'active', lease))) {
      // The log of an owner that lives is no leftover.
      if (ownersMax === 0 || !logNames.test(name)) found.push(`in a lease: ${name}`);
    }
  for (const place of ['queue/reclaim', 'queue/locks', 'queue/cancel', 'queue/pending/small', 'queue/pending/large']) {
    for (const name of namesIn(join(dataDir, place))) found.push(`${place}/${name}`);
  }
  const cards = namesIn(join(dataDir, 'workers')).filter((name) => !name.endsWith('.lock'));
  if (cards.length > ownersMax) found.push(`workers: ${cards.join(' ')}`);
  return [...found, ...taskLeftovers(dataDir), ...documentLeftovers(dataDir)];
}

function taskLeftovers(dataDir: string): string[] {
  const found: string[] = [];
  for (const bucket of namesIn(join(dataDir, 'tasks'))) {
    const names = new Set(namesIn(join(dataDir, 'tasks', bucket)));
    for (const name of names) {
      if (name === 'index.json' || (name.endsWith('.json') && isTaskId(name.slice(0, -5)))) continue;
      const record = names.has(name.replace(/\.bin$/, '.json'))
        ? readIfThere(join(dataDir, 'tasks', bucket, name.replace(/\.bin$/, '.json')))
        : null;
      if (!name.endsWith('.bin') || record === null || parseTask(record)?.status === 'completed')
        found.push(`tasks/${bucket}/${name}`);
    }
  }
  return found;
}

/** One folder a document, and in it the current version and the note that says so. */
function documentLeftovers(dataDir: string): string[] {
  const found: string[] = [];
  for (const folder of namesIn(join(dataDir, 'documents'))) {
    const path = join(dataDir, 'documents', folder);
    const current = noted(readIfThere(join(path, 'current.json')));
    for (const name of namesIn(path))
      if (name !== 'current.json' && name !== current) found.push(`documents/${folder.slice(0, 8)}/${name}`);
  }
  return found;
}

/** Null for none, and for one that a power cut has torn and nobody has put right yet. */
function noted(note: string | null): string | null {
  try {
    return note === null ? null : (JSON.parse(note) as { version: string }).version;
  } catch {
    return null;
  }
}

/** Names, inodes and sizes of every file that a fenced process could spoil. */
export function fingerprint(dataDir: string): string {
  const lines: string[] = [];
  const visit = (path: string): void => {
    for (const name of namesIn(path).sort()) {
      const child = join(path, name);
      const stats = statSync(child);
      if (!stats.isDirectory()) lines.push(`${child} ${stats.ino} ${stats.size}`);
      if (stats.isDirectory()) visit(child);
    }
  };
  for (const part of ['tasks', 'queue/pending', 'documents']) visit(join(dataDir, part));
  return lines.join('\n');
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function parseTask(text: string): Task | null {
  try {
    return JSON.parse(text) as Task;
  } catch {
    return null;
  }
}
