/**
 * One document through parse → chunk → embed, inside a worker thread. Writes nothing but its result, into the folder it is
 * given (`staging.ts`); how the attempt ends is a value, since errors lose their class between threads.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Chunk, shortened } from '../chunk/chunk.ts';
import type { Embedder } from '../embed/embedder.ts';
import { passageOf } from '../embed/passage.ts';
import { DocumentError } from '../errors.ts';
import type { DocumentParser, RecognisedDocument } from '../parse/document-parser.ts';
import type { PageLook, ParsedDocument } from '../parse/parser.ts';
import { readingOf, type ReadingSettings } from '../parse/reading.ts';
import { withinBounds } from '../search/bounds.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { descriptionOf } from '../tasks/given.ts';
import type { StageCounts } from '../tasks/progress.ts';
import { failureOf, traceOf } from './failure.ts';
import { type IngestJob, type IngestOutcome, progressMessage, readingIn } from './job.ts';
import { writeReadFiles } from './read-files.ts';
import { type Postings, PostingsBuilder } from '../search/index/postings.ts';
import { type MadePart, type PartFacts, PartWriter, type StagedMeta } from '../search/index/staging.ts';

export type PipelineParts = {
  readonly parser: DocumentParser;
  readonly toChunks: (document: ParsedDocument, reading: ReadingSettings) => Iterable<Chunk>;
  readonly embedder: Embedder;
  readonly reading: ReadingSettings;
};

/** Chunks embedded together: large enough to feed a model well, small enough to report progress and stay cheap. */
const batchChunks = 64;

/** Runs one job. Never rejects: a bug and a disk that refuses are answers as well, told apart here, where errors still have their codes. */
export async function runPipeline(job: IngestJob, { reading: usual, ...others }: PipelineParts): Promise<IngestOutcome> {
  const parts = { ...others, reading: readingIn(job.collection, usual) };
  const report = throttledReport(job);
  try {
    const clock = stageClock();
    report({ stage: 'parsing' }, true);
    const parsed = withinBounds(
      await parts.parser.parse({
        path: job.payloadPath,
        fileBytes: job.fileBytes,
        filename: job.filename,
        declaredMediaType: job.declaredMediaType,
        ...(job.password === undefined ? {} : { password: job.password }),
        limits: parts.reading.limits,
        onProgress: (pagesDone, pagesTotal) => report({ stage: 'parsing', pagesDone, pagesTotal }),
        onPages: report.onPages,
      }),
    );
    clock.lap('parse');
    const markdown = writePart(job.scratchDir, 'content.md', Buffer.from(parsed.markdown));
    if (job.onlyReads === true) {
      const [first] = parts.toChunks(parsed, parts.reading);
      if (first === undefined) throw noText(job);
      const warnings = boundWarnings(parsed.warnings);
      writeReadFiles(job.scratchDir, parsed, { warnings, withPlainText: job.withPlainText === true });
      return { ok: true, document: describe(job, parsed, 0, parts), stageMs: clock.laps };
    }
    const pages = { pagesDone: parsed.pages, pagesTotal: parsed.pages };
    report({ stage: 'chunking', ...pages }, true);
    const chunks = [...parts.toChunks(parsed, parts.reading)];
    requireText(chunks, job);
    clock.lap('chunk');
    const staged = await stageChunks(job.scratchDir, chunks, parsed.title, parts.embedder, (chunksDone) =>
      report({ stage: 'embedding', ...pages, chunksDone, chunksTotal: chunks.length }, chunksDone === 0),
    );
    clock.lap('embed');
    const postings = postingsOf(chunks, parsed.title);
    clock.lap('terms');
    const document = describe(job, parsed, chunks.length, parts);
    const looks = writeLooks(job.scratchDir, parsed.looks ?? []);
    const made = { 'content.md': markdown, ...staged, ...(looks === null ? {} : { 'pages.ndjson': looks }) };
    const meta: StagedMeta = { document, dimensions: parts.embedder.dimensions, parts: made };
    writeFileSync(join(job.scratchDir, 'meta.json'), JSON.stringify(meta));
    return { ok: true, document, postings, stageMs: clock.laps };
  } catch (error) {
    if (error instanceof DocumentError) return { ok: false, code: error.code, message: error.message, retryable: error.retryable };
    return { ok: false, ...failureOf(error), trace: traceOf(error) };
  } finally {
    job.port.close();
  }
}

/** What the sentences about a file may take. */
const [warningsMax, warningCharactersMax] = [30, 500];

function boundWarnings(warnings: readonly string[]): string[] {
  const kept = warnings.length > warningsMax ? warnings.slice(0, warningsMax - 1) : warnings;
  const more = warnings.length - kept.length;
  return [...kept.map((warning) => shortened(warning, warningCharactersMax)), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** White space and characters without width are no text, whatever the parser made of them. */
function requireText(chunks: readonly Chunk[], job: IngestJob): void {
  if (chunks.length === 0) throw noText(job);
}

function noText(job: IngestJob): DocumentError {
  return new DocumentError('no_text', `No text found in ${job.filename}`);
}

function writePart(folder: string, part: MadePart, bytes: Uint8Array): PartFacts {
  const file = new PartWriter(folder, part);
  try {
    file.write(bytes);
    return file.facts();
  } finally {
    file.close();
  }
}

/** What all pages of one document may take that are shown as they look; those behind are shown as their text. */
const looksBytesMax = 32 * 1024 * 1024;

/** Null: there are none, and no file of them. */
function writeLooks(folder: string, looks: readonly PageLook[]): PartFacts | null {
  if (looks.length === 0) return null;
  const file = new PartWriter(folder, 'pages.ndjson');
  try {
    let bytes = 0;
    for (const look of looks) {
      const line = Buffer.from(`${JSON.stringify(look)}\n`);
      bytes += line.length;
      if (bytes > looksBytesMax) break;
      file.write(line);
    }
    return file.facts();
  } finally {
    file.close();
  }
}

/** Embeds batch by batch and writes as it goes, so that memory holds one batch of vectors. What was written. */
async function stageChunks(
  folder: string,
  chunks: readonly Chunk[],
  title: string | null,
  embedder: Embedder,
  onProgress: (chunksDone: number) => void,
): Promise<NonNullable<StagedMeta['parts']>> {
  using stack = new DisposableStack();
  const open = (part: MadePart): PartWriter => stack.adopt(new PartWriter(folder, part), (file) => file.close());
  const rows = open('chunks.ndjson');
  const vectors = embedder.dimensions > 0 ? open('vectors.bin') : null;
  onProgress(0);
  for (let from = 0; from < chunks.length; from += batchChunks) {
    const batch = chunks.slice(from, from + batchChunks);
    rows.write(Buffer.from(batch.map((chunk) => `${JSON.stringify(chunk)}\n`).join('')));
    if (vectors !== null) {
      const passages = batch.map((chunk) => passageOf(chunk, title));
      for (const { buffer, byteOffset, byteLength } of await embedder.embed(passages, 'passage'))
        vectors.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
    onProgress(from + batch.length);
  }
  return { 'chunks.ndjson': rows.facts(), ...(vectors === null ? {} : { 'vectors.bin': vectors.facts() }) };
}

/** Here, where the other threads go on meanwhile: the one that commits only puts them in their place. */
function postingsOf(chunks: readonly Chunk[], title: string | null): Postings {
  const builder = new PostingsBuilder(title);
  for (const chunk of chunks) builder.add(chunk);
  return builder.done();
}

function describe(
  job: IngestJob,
  parsed: RecognisedDocument,
  chunks: number,
  { embedder, reading }: PipelineParts,
): IndexedDocument {
  return {
    docId: job.docId,
    version: job.taskId,
    ordinal: job.ordinal,
    filename: job.filename,
    mediaType: parsed.mediaType,
    fileBytes: job.fileBytes,
    sha256: job.sha256,
    title: parsed.title,
    givenTitle: job.givenTitle ?? null,
    author: parsed.author,
    language: parsed.language ?? reading.language ?? null,
    pages: parsed.pages,
    chunks,
    characters: parsed.markdown.length,
    ...descriptionOf(job),
    insertedAt: job.insertedAt,
    embedder: embedder.id,
    declaredMediaType: job.declaredMediaType,
    reading: readingOf(parsed.format, job, reading),
    warnings: boundWarnings(parsed.warnings),
  };
}

type Report = {
  (counts: Partial<StageCounts> & Pick<StageCounts, 'stage'>, urgent?: boolean): void;
  readonly onPages: (begins: boolean) => void;
};

/** Posts at most every 100 ms, except what is `urgent` (a new stage). A post doubles as the heartbeat of the thread. */
function throttledReport(job: IngestJob): Report {
  let postedAt = -Infinity;
  let onPage = false;
  let last: Parameters<Report>[0] = { stage: 'parsing' };
  const report = (counts: Parameters<Report>[0], urgent = false): void => {
    last = counts;
    const now = performance.now();
    if (!urgent && now - postedAt < 100) return;
    postedAt = now;
    job.port.postMessage(progressMessage(counts, onPage));
  };
  return Object.assign(report, {
    onPages(begins: boolean) {
      onPage = begins;
      report(last, true);
    },
  });
}

function stageClock(): { lap: (stage: string) => void; laps: Record<string, number> } {
  const laps: Record<string, number> = {};
  let before = performance.now();
  return {
    laps,
    lap(stage) {
      const now = performance.now();
      laps[stage] = Math.round(now - before);
      before = now;
    },
  };
}
