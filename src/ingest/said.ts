/**
 * What a client says of a document lies in the index, and once more in `meta.json` beside its text, from which an index is filled
 * again. The index decides; this brings the file up to it.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../storage/engine.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { saidOf } from '../search/said.ts';
import { DamagedMeta, parseStagedMeta, type StagedMeta } from '../search/index/staging.ts';

/** Changes of one document that overtake each other; each looks again afterwards, so that the last one is the one that stays. */
const triesMax = 20;

/** Returns when the stored file says what the index says of this version, or the version is no longer there. Durable. Safe twice. */
export async function storeSaid(engine: Engine, document: IndexedDocument): Promise<void> {
  let now: IndexedDocument | null = document;
  for (let tries = 0; tries < triesMax && now !== null && now.version === document.version; tries += 1) {
    const meta = await storedMeta(engine, now);
    if (meta === null || isSaidAlike(meta.document, now)) return;
    await store(engine, now, meta);
    now = await engine.index.info(document.docId);
  }
}

/** Whether both say the same of themselves, as far as clients say it. */
export function isSaidAlike(one: IndexedDocument, other: IndexedDocument): boolean {
  return isDeepStrictEqual(saidOf(one), saidOf(other));
}

/** Null when there is none, or none that can be read: what mends it takes what is said from the index. */
async function storedMeta(engine: Engine, { docId, version }: IndexedDocument): Promise<StagedMeta | null> {
  const file = await engine.files.open({ kind: 'document', docId, version, part: 'meta.json' });
  try {
    return file === null ? null : parseStagedMeta(await text(file.stream));
  } catch (error) {
    if (error instanceof DamagedMeta) return null;
    throw error;
  }
}

async function store(engine: Engine, document: IndexedDocument, meta: StagedMeta): Promise<void> {
  const { docId, version } = document;
  const scratchDir = await engine.files.scratch(version);
  try {
    const changed: StagedMeta = { ...meta, document: { ...meta.document, ...saidOf(document) } };
    await writeFile(join(scratchDir, 'meta.json'), JSON.stringify(changed));
    await engine.files.mend(docId, version, scratchDir);
  } catch (error) {
    // A version that was replaced or removed meanwhile has no file to change.
    if ((await engine.index.info(docId))?.version === version) throw error;
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}
