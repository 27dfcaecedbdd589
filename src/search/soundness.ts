/**
 * Whether a stored version is still as it was written: every part by its size and SHA-256. What version 0.1.0 wrote has no digests
 * of its made parts; it is held against what they say of each other, and gets its digests then.
 */
import { join } from 'node:path';
import type { DocumentPart } from '../documents/document-part.ts';
import { digestPlain, NotPlainFile, openPlain } from '../documents/plain-file.ts';
import { hasErrno } from '../errors.ts';
import type { IndexedDocument } from './document-index.ts';
import {
  DamagedMeta,
  type MadePart,
  madeParts,
  type PartFacts,
  readStagedChunks,
  readStagedMeta,
  type StagedMeta,
} from './index/staging.ts';

export type Fault = { readonly part: DocumentPart; readonly is: 'missing' | 'changed' };

export type Soundness = {
  /** Empty: nothing is wrong. */
  readonly faults: readonly Fault[];
  /** What `meta.json` should say, with the digests of all parts; null where it cannot be told. */
  readonly meta: StagedMeta | null;
};

/**
 * Reads every byte of the version in `folder` that the index calls `document`.
 * Memory: one piece, or the whole text for a version without digests.
 */
export async function examineVersion(folder: string, document: IndexedDocument): Promise<Soundness> {
  const original = await compare(folder, 'original', { bytes: document.fileBytes, sha256: document.sha256 });
  const { faults, meta } = await examineMade(folder, document);
  return { faults: [...original, ...faults], meta };
}

/** Like `examineVersion`, for what was made of the original alone. */
export async function examineMade(folder: string, document: IndexedDocument): Promise<Soundness> {
  const read = await readMeta(folder);
  if (!('document' in read)) return { faults: [{ part: 'meta.json', is: read.is }], meta: null };
  if (!isSameVersion(read.document, document)) return { faults: [{ part: 'meta.json', is: 'changed' }], meta: null };
  if (read.parts === undefined) {
    const { faults, parts } = await compareEachOther(folder, read);
    return { faults, meta: faults.length > 0 ? null : { ...read, parts } };
  }
  const faults: Fault[] = [];
  for (const part of madeParts) faults.push(...(await compare(folder, part, read.parts[part])));
  return { faults, meta: read };
}

async function readMeta(folder: string): Promise<StagedMeta | { is: Fault['is'] }> {
  try {
    return await readStagedMeta(folder);
  } catch (error) {
    if (isGone(error)) return { is: 'missing' };
    if (error instanceof DamagedMeta || error instanceof NotPlainFile) return { is: 'changed' };
    throw error;
  }
}

/**
 * Not there, or not there any more: Node's permission model answers for a path whose folders are removed while it looks as for one
 * that may not be read.
 */
function isGone(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ENOTDIR', 'ERR_ACCESS_DENIED');
}

/** Vectors may be of another embedder in the index, by a reindex. */
function isSameVersion(stored: IndexedDocument, indexed: IndexedDocument): boolean {
  return stored.docId === indexed.docId && stored.version === indexed.version && stored.sha256 === indexed.sha256;
}

/** `facts` undefined: there should be no such part. */
async function compare(folder: string, part: DocumentPart, facts: PartFacts | undefined): Promise<Fault[]> {
  const found = await digest(join(folder, part));
  if (facts === undefined) return found === null ? [] : [{ part, is: 'changed' }];
  if (found === null) return [{ part, is: 'missing' }];
  return found !== 'no file' && found.sha256 === facts.sha256 && found.bytes === facts.bytes ? [] : [{ part, is: 'changed' }];
}

async function digest(path: string): Promise<PartFacts | 'no file' | null> {
  try {
    return await digestPlain(path);
  } catch (error) {
    if (isGone(error)) return null;
    if (error instanceof NotPlainFile) return 'no file';
    throw error;
  }
}

/** The text has the length that was noted, and every chunk is a piece of it; the vectors are as many as the chunks. */
async function compareEachOther(
  folder: string,
  { document, dimensions }: StagedMeta,
): Promise<{ faults: Fault[]; parts: Partial<Record<MadePart, PartFacts>> }> {
  const faults: Fault[] = [];
  const parts: Partial<Record<MadePart, PartFacts>> = {};
  for (const part of madeParts) {
    const facts = await digest(join(folder, part));
    if (part === 'pages.ndjson' && facts === null) continue;
    const isWanted = part !== 'vectors.bin' || dimensions > 0;
    if (facts === 'no file' || (facts !== null && !isWanted)) faults.push({ part, is: 'changed' });
    else if (facts === null && isWanted) faults.push({ part, is: 'missing' });
    else if (facts !== null) parts[part] = facts;
  }
  if (parts['vectors.bin'] !== undefined && parts['vectors.bin'].bytes !== document.chunks * dimensions * 4)
    faults.push({ part: 'vectors.bin', is: 'changed' });
  const text = parts['content.md'] === undefined ? null : await readText(join(folder, 'content.md'));
  if (text !== null && text.length !== document.characters) faults.push({ part: 'content.md', is: 'changed' });
  else if (text !== null && parts['chunks.ndjson'] !== undefined && !(await areChunksOf(folder, text, document.chunks)))
    faults.push({ part: 'chunks.ndjson', is: 'changed' });
  return { faults, parts };
}

async function readText(path: string): Promise<string> {
  const handle = await openPlain(path);
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function areChunksOf(folder: string, text: string, count: number): Promise<boolean> {
  let found = 0;
  try {
    for await (const batch of readStagedChunks(folder, 0)) {
      for (const { chunk } of batch) if (text.slice(chunk.start, chunk.end) !== chunk.text) return false;
      found += batch.length;
    }
  } catch (error) {
    // A line that is not JSON, or no chunk.
    if (error instanceof SyntaxError || error instanceof TypeError) return false;
    throw error;
  }
  return found === count;
}
