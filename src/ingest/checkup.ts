/**
 * Damage at rest: whether each document is still what was written, and making good what can be: what was made of an original is made of
 * it again. Nothing is put in place of anything that does not have the digest that was noted, so no document changes by it.
 */
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DocumentPart, FileKey } from '../documents/file-store.ts';
import { digestPlain } from '../documents/plain-file.ts';
import type { Engine } from '../engines/engine.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { examineVersion, type Fault } from '../search/soundness.ts';
import { madeParts, measureParts, readStagedMeta, type StagedMeta } from '../search/staging.ts';
import type { RunOutcome, ThreadJob } from './thread-pool.ts';

/** Reads an original as an attempt would. */
export type ReadAgain = (job: ThreadJob) => Promise<RunOutcome>;

export type Checked = {
  readonly docId: string;
  readonly faults: readonly Fault[];
  /** `gone`: it was replaced or removed meanwhile. */
  readonly is: 'sound' | 'mended' | 'damaged' | 'gone';
  /** Read by it. */
  readonly bytes: number;
};

/** Looks at one document that the index names. `readAgain` null: says only what is wrong. */
export async function checkDocument(engine: Engine, document: IndexedDocument, readAgain: ReadAgain | null): Promise<Checked> {
  const { docId, fileBytes } = document;
  const bytes = fileBytes + 4 * document.characters;
  const folder = await folderOf(engine, document);
  const { faults, meta } = await examineVersion(folder, document);
  if (faults.length > 0 && !(await isCurrent(engine, document))) return { docId, faults: [], is: 'gone', bytes };
  if (faults.length === 0) {
    if (readAgain !== null) await noteDigests(engine, document, folder, meta);
    return { docId, faults, is: 'sound', bytes };
  }
  const mended = readAgain !== null && (await mend({ engine, document, folder, faults, readAgain }));
  return { docId, faults, is: mended ? 'mended' : 'damaged', bytes: 2 * bytes };
}

async function folderOf(engine: Engine, { docId, version }: IndexedDocument): Promise<string> {
  for (const part of ['meta.json', 'original', 'content.md', 'chunks.ndjson'] as const) {
    const path = await engine.files.localPath({ kind: 'document', docId, version, part });
    if (path !== null) return dirname(path);
  }
  // Nothing of it is left: every part is missing there.
  return join('/nonexistent', version);
}

async function isCurrent(engine: Engine, { docId, version }: IndexedDocument): Promise<boolean> {
  return (await engine.index.info(docId))?.version === version;
}

/** What version 0.1.0 wrote gets its digests when it was found whole. */
async function noteDigests(engine: Engine, document: IndexedDocument, folder: string, meta: StagedMeta | null): Promise<void> {
  if (meta === null || (await readStagedMeta(folder)).parts !== undefined) return;
  const scratchDir = await engine.files.scratch(document.version);
  await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(meta));
  await engine.files.mend(document.docId, document.version, scratchDir);
}

type Damaged = {
  readonly engine: Engine;
  readonly document: IndexedDocument;
  readonly folder: string;
  readonly faults: readonly Fault[];
  readonly readAgain: ReadAgain;
};

async function mend({ engine, document, folder, faults, readAgain }: Damaged): Promise<boolean> {
  if (faults.some(({ part }) => part === 'original')) return false;
  const scratchDir = await engine.files.scratch(document.version);
  try {
    if (!(await makeAgain({ engine, document, folder, scratchDir, readAgain }))) return false;
    if (!(await isWhatWasThere(folder, scratchDir, faults, document))) return false;
    if (!(await isCurrent(engine, document))) return false;
    await writeMeta(scratchDir, document);
    await engine.files.mend(document.docId, document.version, scratchDir);
    return (await examineVersion(await folderOf(engine, document), document)).faults.length === 0;
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

async function makeAgain({
  engine,
  document,
  folder,
  scratchDir,
  readAgain,
}: Omit<Damaged, 'faults'> & { scratchDir: string }): Promise<boolean> {
  const { docId, version, filename, fileBytes, sha256, metadata, insertedAt, ordinal } = document;
  const key: FileKey = { kind: 'document', docId, version, part: 'original' satisfies DocumentPart };
  const original = (await engine.files.localPath(key)) ?? join(folder, 'original');
  // The readers take no file that somebody may change: a copy, gone with the folder.
  const payloadPath = join(scratchDir, 'payload');
  await copyFile(original, payloadPath);
  const declaredMediaType = document.declaredMediaType ?? null;
  const job = { taskId: version, ordinal, docId, filename, fileBytes, sha256, declaredMediaType, metadata, insertedAt };
  const outcome = await readAgain({ ...job, payloadPath, scratchDir });
  await rm(payloadPath, { force: true });
  return outcome.ok;
}

/**
 * Parts that are whole are the same again, and those that are not have the digest that was noted. Where nothing is noted any more, the
 * text must be what the index says of it.
 */
async function isWhatWasThere(
  folder: string,
  scratchDir: string,
  faults: readonly Fault[],
  document: IndexedDocument,
): Promise<boolean> {
  const noted = await readStagedMeta(folder).catch(() => null);
  const now = await measureParts(scratchDir);
  const { characters, chunks } = (await readStagedMeta(scratchDir)).document;
  if (characters !== document.characters || chunks !== document.chunks) return false;
  if (noted === null) return true;
  if (noted.parts !== undefined) return madeParts.every((part) => noted.parts?.[part]?.sha256 === now[part]?.sha256);
  for (const part of madeParts.filter((one) => !faults.some((fault) => fault.part === one))) {
    const before = now[part] === undefined ? null : await digestPlain(join(folder, part));
    if (before?.sha256 !== now[part]?.sha256) return false;
  }
  return true;
}

/** The document as the index has it, with the digests of what was made again. */
async function writeMeta(scratchDir: string, document: IndexedDocument): Promise<void> {
  const made = await readStagedMeta(scratchDir);
  const meta: StagedMeta = { ...made, document: { ...document, embedder: made.document.embedder } };
  await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(meta));
}

/** Every searchable document, newest first. */
export async function* documentsIn(engine: Engine): AsyncGenerator<IndexedDocument> {
  for (let cursor: string | undefined; ;) {
    const page = await engine.index.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.documents;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}
