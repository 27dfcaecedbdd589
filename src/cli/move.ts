/**
 * Everything from one place to another: a data directory, a PostgreSQL database, a Redis beside either. The source stays as it is.
 * The work is `move/`'s, on engines as a server would open them; here it is decided whether it may begin, and told in words.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { v7 } from 'uuid';
import type { Config } from '../config.ts';
import type { Engine } from '../storage/engine.ts';
import { openWorkerEngine } from '../open-storage.ts';
import type { TaskId } from '../tasks/task.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { errorLogger, localSettings, requireDataDirectory } from './local-settings.ts';
import { compare, firstStray } from './move/comparing.ts';
import { copyCollections, copyDocument, copyTask, documentsOf, MoveError, tasksOf } from './move/copying.ts';
import type { MoveProgress } from './move/move-progress.ts';
import type { Said } from './queries.ts';
import { table } from './terminal-text.ts';

export type MoveOptions = {
  readonly progress: MoveProgress;
  /** How long other processes are waited for: a killed one is found dead after 10 s. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
};

/** How much longer than a lease a killed process may count as alive, and how often it is looked for. */
const deathMsMax = 15_000;
const lookMs = 250;

/**
 * Copies documents, index and tasks, then compares both sides byte for byte. Killed at any moment it goes on when it is run again.
 * @throws CliError: a server runs on either place, the target holds something else, either cannot be opened.
 */
export async function move(from: string, to: string, options: MoveOptions): Promise<Said & { readonly same: boolean }> {
  const config = localSettings({ isForOneEngine: false });
  const work = join(config.dataDir, 'move');
  const [source, target] = [readPlace(config, from, join(work, 'from')), readPlace(config, to, join(work, 'to'))];
  if (source.name === target.name) throw new CliError('--from and --to name the same place.', exitCodes.usage);
  if (source.directory !== null) requireDataDirectory(source.directory);
  try {
    const said = await withEngines(source.config, target.config, (engines) => moveAll(engines, options));
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
    return said;
  } catch (error) {
    throw inWords(error);
  } finally {
    options.progress.end();
  }
}

type Engines = { readonly from: Engine; readonly to: Engine };

async function withEngines<T>(source: Config, target: Config, work: (engines: Engines) => Promise<T>): Promise<T> {
  const from = await open(source);
  try {
    const to = await open(target);
    try {
      return await work({ from, to });
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function moveAll({ from, to }: Engines, options: MoveOptions): Promise<Said & { readonly same: boolean }> {
  const { progress } = options;
  await requireQuiet({ from, to }, options);
  // What is not in the index yet would not be listed, and be left behind.
  await Promise.all([from.index.filled?.(), to.index.filled?.()]);
  const [unfinished] = await from.collections.removals();
  if (unfinished !== undefined)
    throw new CliError(
      `The collection ${unfinished} is still being deleted on the source: start a server there, wait until it is gone, then stop it.`,
    );
  const [damaged] = await from.collections.damaged();
  if (damaged !== undefined)
    throw new CliError(
      `The record of the collection ${damaged} is damaged: "rag-intake doctor --repair" on the source repairs it.`,
    );
  const stray = await firstStray(from, to);
  if (stray !== null)
    throw new CliError(
      `The target has something that the source does not have, or has in another version: ${stray}. Use a target that is new or empty; an interrupted move continues only if neither side has been used since.`,
    );
  // What is accepted at the target later comes after all that is moved.
  await to.continueAfter(await from.nextOrdinal());
  const [documents, tasks] = [await documentsOf(from), await tasksOf(from)];
  await copyCollections(from, to);
  await each('documents', documents, (document) => copyDocument(from, to, document), options);
  await each('tasks', tasks, (task) => copyTask(from, to, task), options);
  progress.begin('compared', documents.length + tasks.length);
  const { lines, different } = await compare(from, to, { documents, tasks }, () => progress.step());
  progress.end();
  await requireQuiet({ from, to }, { ...options, patienceMs: 0 });
  // What is left of such a record is a failed task that says so, on both sides; nobody may take that for all that there was.
  const brokenRecords = tasks
    .filter(({ error }) => error?.code === 'record_corrupt')
    .map(({ id }) => `task ${id} (its record was damaged)`);
  const notBrought = [...different, ...brokenRecords];
  const same = notBrought.length === 0;
  const rows = lines.map(({ what, source, target }) => [
    what,
    short(source),
    short(target),
    source === target ? 'same' : 'DIFFERENT',
  ]);
  const verdict = same
    ? 'Everything was copied. The source is unchanged: do not start a server on it again, or tasks that wait there would run twice.'
    : `Not the same: ${notBrought.join(', ')}.`;
  return { json: { same, lines, different: notBrought }, text: `${table(['', 'SOURCE', 'TARGET', ''], rows)}\n${verdict}`, same };
}

async function each<T>(name: string, items: readonly T[], copy: (item: T) => Promise<void>, options: MoveOptions): Promise<void> {
  options.progress.begin(name, items.length);
  for (const item of items) {
    if (options.signal.aborted) throw new CliError('Stopped; run it again to continue.', exitCodes.interrupted);
    await copy(item);
    options.progress.step();
  }
}

/** Nobody else works on either place, and no task runs: those of processes that died wait again once they are found dead. */
async function requireQuiet({ from, to }: Engines, { patienceMs, progress, signal }: MoveOptions): Promise<void> {
  const deadline = performance.now() + Math.min(patienceMs, deathMsMax);
  for (let told = false; ; told = true) {
    const busy = (await whoIsOn('source', from)) ?? (await whoIsOn('target', to));
    if (busy === null) return;
    if (performance.now() >= deadline || signal.aborted) throw new CliError(busy);
    if (!told) progress.note('Waiting until processes that may be dead are known to be dead.');
    await new Promise((done) => setTimeout(done, lookMs));
  }
}

async function whoIsOn(side: string, engine: Engine): Promise<string | null> {
  const others = await engine.others();
  if (others.length > 0) return `A server or worker is running on the ${side} (${others.join(', ')}). Stop it, then move.`;
  return (await engine.tasks.counts()).processing === 0 ? null : `A task is still running on the ${side}; try again in a moment.`;
}

function open(config: Config): Promise<Engine> {
  const logger = errorLogger();
  return openWorkerEngine({ config, now: () => new Date().toISOString(), newId: () => v7() as TaskId, logger });
}

type Place = { readonly name: string; readonly config: Config; readonly directory: string | null };

/** `work` is scratch space for a place that is no directory. */
function readPlace(config: Config, place: string, work: string): Place {
  const [, queueUrl = '', rest = place] = /^(rediss?:\/\/[^,]*),(.+)$/.exec(place) ?? [];
  if (/^postgres(ql)?:\/\//.test(rest))
    return {
      name: place,
      directory: null,
      config: { ...config, queueUrl, databaseUrl: rest, databaseDirectUrl: '', searcher: '', dataDir: work },
    };
  if (/^[a-z]+:\/\//i.test(rest))
    throw new CliError('A place is a data directory, postgres://…, or redis://…,<one of these>.', exitCodes.usage);
  const directory = resolve(rest);
  return { name: `${queueUrl},${directory}`, directory, config: { ...config, queueUrl, databaseUrl: '', dataDir: directory } };
}

/** The first of a digest is enough for eyes; --json has all of it. */
function short(text: string): string {
  return text.length > 16 ? `${text.slice(0, 16)}…` : text;
}

/** What a database server says is for the person here. */
function inWords(error: unknown): unknown {
  return error instanceof MoveError ? new CliError(error.message) : error;
}
