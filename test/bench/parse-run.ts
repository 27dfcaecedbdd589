/**
 * Reads files by one tool in a process of its own, so that its CPU time and peak memory are its own, in one thread or several.
 * A file that ends the process, or takes longer than `fileMs`, has failed, and the next process goes on behind it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { loadConfig } from '../../src/config.ts';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import type { ParseInput } from '../../src/parse/parser.ts';
import { asStarted } from '../support/server.ts';

/** Ours as a parser alone, or with its chunks; LangChain's loaders with its splitter. */
export type Tool = 'ours' | 'ours, in chunks' | 'LangChain';

export type Outcome = {
  readonly path: string;
  readonly outcome: 'read' | 'refused' | 'failed';
  readonly sentence: string;
  /** 1 for a format without pages. */
  readonly pages: number;
  readonly ms: number;
};

/** One time through all files. */
export type Reading = {
  readonly outcomes: readonly Outcome[];
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakMb: number;
};

/** Times through some PDFs until they are read as by a server that has run for a while: V8 goes on compiling for 1,500 pages and more. */
export const warmRounds = 10;
const roundsCounted = 4;

/** The mean of the last few times: one alone may hold a garbage collection, or none. */
export function warmSpeed(rounds: readonly { readonly cpuSeconds: number; readonly wallSeconds: number }[]): {
  cpuSeconds: number;
  wallSeconds: number;
} {
  const last = rounds.slice(-roundsCounted);
  const meanOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  return { cpuSeconds: meanOf(last.map((each) => each.cpuSeconds)), wallSeconds: meanOf(last.map((each) => each.wallSeconds)) };
}

/** Where the other libraries are installed. */
export const peersFolder = join(import.meta.dirname, 'peers');
const fileMs = 20_000;
const threadStarts = 'parse-run';

type Job = { readonly tool: Tool; readonly threads: number; readonly rounds: number; readonly paths: readonly string[] };
type Ended = { readonly cpuSeconds: number; readonly wallSeconds: number; readonly peakMb: number };
type Message = { readonly outcome: Outcome } | { readonly ended: Ended };

/** `rounds` times through the files, in one process: the first time is cold, the next are as in a server that has run for a while. */
export async function readAll(job: Job): Promise<Reading[]> {
  const readings: Reading[] = [];
  let outcomes: Outcome[] = [];
  for (let left = job.paths; left.length > 0 || readings.length === 0;) {
    const env = job.tool === 'LangChain' ? process.env : { ...asStarted, ...process.env };
    const child = fork(import.meta.filename, { serialization: 'advanced', execArgv: [], env });
    let watch = setTimeout(() => {}, 0);
    const alive = (): void => {
      clearTimeout(watch);
      watch = setTimeout(() => child.kill('SIGKILL'), fileMs + 5000);
    };
    child.on('message', (message: Message) => {
      alive();
      if ('outcome' in message) outcomes.push(message.outcome);
      else {
        readings.push({ ...message.ended, outcomes });
        outcomes = [];
      }
    });
    alive();
    child.send({ ...job, paths: left } satisfies Job);
    await once(child, 'exit');
    clearTimeout(watch);
    if (readings.length === job.rounds) break;
    const done = new Set(outcomes.map(({ path }) => path));
    const culprit = left.find((path) => !done.has(path));
    if (culprit === undefined) throw new Error('The measuring process ended between two files');
    outcomes.push({
      path: culprit,
      outcome: 'failed',
      sentence: 'the process died on it, or it took too long',
      pages: 0,
      ms: fileMs,
    });
    left = left.filter((path) => path !== culprit && !done.has(path));
  }
  return readings;
}

if (!isMainThread && workerData?.starts === threadStarts) await serveThread(workerData.tool as Tool);
else if (import.meta.main && process.send !== undefined) process.once('message', (job: Job) => void runJob(job));

async function runJob(job: Job): Promise<void> {
  const readers = await Promise.all(
    Array.from({ length: job.threads }, () => (job.threads === 1 ? outcomesOf(job.tool) : threadReader(job.tool))),
  );
  for (let round = 0; round < job.rounds; round++) {
    const cpu = process.cpuUsage();
    const begun = performance.now();
    const queue = job.paths.values();
    await Promise.all(
      readers.map(async (read) => {
        for (const path of queue) process.send!({ outcome: await read(path) } satisfies Message);
      }),
    );
    const { user, system } = process.cpuUsage(cpu);
    const ended = {
      cpuSeconds: Math.max(0.001, (user + system) / 1e6),
      wallSeconds: Math.max(0.001, (performance.now() - begun) / 1000),
      peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
    await new Promise((resolve) => process.send!({ ended } satisfies Message, resolve));
  }
  process.exit(0);
}

type Read = (path: string) => Promise<Outcome>;

async function threadReader(tool: Tool): Promise<Read> {
  const worker = new Worker(import.meta.filename, { workerData: { starts: threadStarts, tool } });
  await once(worker, 'message');
  return async (path) => {
    worker.postMessage(path);
    return ((await once(worker, 'message')) as [Outcome])[0];
  };
}

async function serveThread(tool: Tool): Promise<void> {
  const read = await outcomesOf(tool);
  parentPort!.on('message', (path: string) => void read(path).then((outcome) => parentPort!.postMessage(outcome)));
  parentPort!.postMessage('ready');
}

async function outcomesOf(tool: Tool): Promise<Read> {
  const read = tool === 'LangChain' ? await langChain() : ours(tool === 'ours, in chunks');
  return async (path) => {
    const begun = performance.now();
    const ended = (outcome: Outcome['outcome'], sentence: string, pages: number): Outcome => {
      const ms = performance.now() - begun;
      return ms > fileMs
        ? { path, outcome: 'failed', sentence: `${sentence} after ${Math.round(ms)} ms`, pages, ms }
        : { path, outcome, sentence, pages, ms };
    };
    try {
      return ended('read', '', await read(path));
    } catch (error) {
      if (error instanceof DocumentError) return ended('refused', `${error.code}: ${error.message}`, 0);
      return ended('failed', String(error).slice(0, 300), 0);
    }
  };
}

/** What a file is to a parser with the limits of the usual settings. */
export function inputOf(path: string): ParseInput {
  const filename = basename(path);
  return { path, fileBytes: statSync(path).size, filename, declaredMediaType: null, limits: loadConfig({}), onProgress() {} };
}

function ours(inChunks: boolean): (path: string) => Promise<number> {
  const parser = createDocumentParser({});
  return async (path) => {
    const document = await parser.parse(inputOf(path));
    if (inChunks) for (const chunk of splitDocument(document, { tokensMax: 320 })) void chunk.text;
    return document.pages ?? 1;
  };
}

/** The formats that its loaders read with the libraries that are installed beside it. */
export const langChainFormats = ['pdf', 'docx', 'csv', 'markdown', 'text'];

type Loaded = { readonly pageContent: string };
type Loader = { load(): Promise<Loaded[]> };
type LoaderModule = Record<string, new (path: string) => Loader>;
type SplitterModule = {
  RecursiveCharacterTextSplitter: new (options: object) => { splitDocuments(documents: Loaded[]): Promise<Loaded[]> };
};

async function langChain(): Promise<(path: string) => Promise<number>> {
  const { resolve } = createRequire(join(peersFolder, 'package.json'));
  const load = (name: string): Promise<unknown> => import(pathToFileURL(resolve(name)).href);
  const loaders: Readonly<Record<string, new (path: string) => Loader>> = {
    '.pdf': ((await load('@langchain/community/document_loaders/fs/pdf')) as LoaderModule)['PDFLoader']!,
    '.docx': ((await load('@langchain/community/document_loaders/fs/docx')) as LoaderModule)['DocxLoader']!,
    '.csv': ((await load('@langchain/community/document_loaders/fs/csv')) as LoaderModule)['CSVLoader']!,
  };
  const Text = ((await load('@langchain/classic/document_loaders/fs/text')) as LoaderModule)['TextLoader']!;
  const { RecursiveCharacterTextSplitter } = (await load('@langchain/textsplitters')) as SplitterModule;
  // About as long as our chunks of 320 tokens.
  const splitter = new RecursiveCharacterTextSplitter({ chunkSize: 1200, chunkOverlap: 0 });
  return async (path) => {
    const extension = extname(path).toLowerCase();
    const documents = await new (loaders[extension] ?? Text)(path).load();
    await splitter.splitDocuments(documents);
    return extension === '.pdf' ? documents.length : 1;
  };
}
