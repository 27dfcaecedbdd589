/**
 * Damage at rest: whether each document is still what was written, and making good what can be: what was made of an original is made of
 * it again. Nothing is put in place of anything that does not have the digest that was noted, so no document changes by it; what this
 * version reads otherwise is left to a task that reads it again.
 */
import { collectionOf } from '../documents/document-name.ts';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentPart } from '../documents/document-part.ts';
import { digestPlain } from '../documents/plain-file.ts';
import type { Engine } from '../storage/engine.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { descriptionOf } from '../tasks/given.ts';
import { examineVersion, type Fault } from '../search/soundness.ts';
import { madeParts, measureParts, readStagedMeta, type StagedMeta } from '../search/index/staging.ts';
import type { RunOutcome, ThreadJob } from './thread-pool.ts';

/** Reads an original as an attempt would. */
export type ReadAgain = (job: ThreadJob) => Promise<RunOutcome>;

export type Checked = {
  readonly docId: string;
  readonly faults: readonly Fault[];
  /**
   * `otherwise`: it is damaged, and its original is whole, but read otherwise by now: it is to be read again as a version of its own.
   * `gone`: it was replaced or removed meanwhile.
   */
  readonly is: 'sound' | 'mended' | 'otherwise' | 'damaged' | 'gone';
  /** Read by it. */
  readonly bytes: number;
};

/** Looks at one document that the index names. `readAgain` null: says only what is wrong. */
export function checkDocument(engine: Engine, document: IndexedDocument, readAgain: ReadAgain | null): Promise<Checked> {
  return engine.files.withStored(document.docId, document.version, (folder) =>
    checkFolder({ engine, document, folder, readAgain }),
  );
}

type Examined = {
  readonly engine: Engine;
  readonly document: IndexedDocument;
  /** Its parts as they are stored now. */
  readonly folder: string;
};

async function checkFolder({ readAgain, ...examined }: Examined & { readAgain: ReadAgain | null }): Promise<Checked> {
  const { engine, document, folder } = examined;
  const { docId, fileBytes } = document;
  const bytes = fileBytes + 4 * document.characters;
  const { faults, meta } = await examineVersion(folder, document);
  if (faults.length > 0 && !(await isCurrent(engine, document))) return { docId, faults: [], is: 'gone', bytes };
  if (faults.length === 0) {
    if (readAgain !== null) await noteDigests(examined, meta);
    return { docId, faults, is: 'sound', bytes };
  }
  const is = readAgain === null ? 'damaged' : await mend({ ...examined, faults, readAgain });
  return { docId, faults, is, bytes: 2 * bytes };
}

async function isCurrent(engine: Engine, { docId, version }: IndexedDocument): Promise<boolean> {
  return (await engine.index.info(docId))?.version === version;
}

/** What version 0.1.0 wrote gets its digests when it was found whole. */
async function noteDigests({ engine, document, folder }: Examined, meta: StagedMeta | null): Promise<void> {
  if (meta === null || (await readStagedMeta(folder)).parts !== undefined) return;
  const scratchDir = await engine.files.scratch(document.version);
  await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(meta));
  await engine.files.mend(document.docId, document.version, scratchDir);
}

type Damaged = Examined & { readonly faults: readonly Fault[]; readonly readAgain: ReadAgain };

async function mend({ faults, readAgain, ...examined }: Damaged): Promise<Checked['is']> {
  const { engine, document, folder } = examined;
  if (faults.some(({ part }) => part === 'original')) return 'damaged';
  const scratchDir = await engine.files.scratch(document.version);
  try {
    if (!(await makeAgain(examined, scratchDir, readAgain))) return 'damaged';
    if (!(await isWhatWasThere(folder, scratchDir, faults, document))) return 'otherwise';
    if (!(await isCurrent(engine, document))) return 'gone';
    await writeMeta(scratchDir, document);
    await engine.files.mend(document.docId, document.version, scratchDir);
    return (await checkDocument(engine, document, null)).is === 'sound' ? 'mended' : 'damaged';
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

async function makeAgain({ engine, document, folder }: Examined, scratchDir: string, readAgain: ReadAgain): Promise<boolean> {
  const { docId, version, filename, fileBytes, sha256, givenTitle, insertedAt, ordinal } = document;
  // The readers take no file that somebody may change: a copy, gone with the folder.
  const payloadPath = join(scratchDir, 'payload');
  await copyFile(join(folder, 'original' satisfies DocumentPart), payloadPath);
  const declaredMediaType = document.declaredMediaType ?? null;
  const file = { filename, fileBytes, sha256, declaredMediaType };
  const job = { taskId: version, ordinal, docId, ...file, ...descriptionOf(document), givenTitle, insertedAt };
  const collection = (await engine.collections.get(collectionOf(docId)))?.settings ?? null;
  const outcome = await readAgain({ ...job, collection, payloadPath, scratchDir });
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
  const { parts } = noted;
  // What pages look like was not kept before there was this; the text is the same.
  const wanted = madeParts.filter((part) => part !== 'pages.ndjson' || parts?.[part] !== undefined);
  if (parts !== undefined) return wanted.every((part) => parts[part]?.sha256 === now[part]?.sha256);
  for (const part of wanted.filter((one) => !faults.some((fault) => fault.part === one))) {
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
