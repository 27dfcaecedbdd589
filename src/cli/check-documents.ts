/** The part of the doctor that opens every document through the index, and mends what can be mended. */
import { quotedName } from '../documents/document-name.ts';
import { loadConfig, type Config } from '../config.ts';
import { openThreads, rereadingRules, startWorkerProcess } from '../app.ts';
import type { Check } from './check.ts';
import { addTo, checkCollections, type Held } from './check-collections.ts';
import { checkDocument, type Checked, documentsIn, type ReadAgain } from '../ingest/checkup.ts';
import type { Engine } from '../storage/engine.ts';
import { rename, reread } from '../ingest/rereading.ts';
import type { Logger } from '../logger.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { examineVersion } from '../search/soundness.ts';
import { readStagedMeta } from '../search/index/staging.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { openWorkerEngine } from '../open-storage.ts';
import { errorLogger } from './local-settings.ts';
import { counted } from './terminal-text.ts';

/** Named in the sentence; --json names all. */
const namedMax = 5;
/** How long an index may take to fill before it is looked at as it is. */
const fillSecondsMax = 600;

/**
 * Beside servers that run, or alone. `repair`: what was made of an original that is whole is made again, or read again where this version
 * reads it otherwise; a document that no address can name gets a name.
 */
export async function checkDocuments(
  env: Readonly<Record<string, string | undefined>>,
  repair: boolean,
): Promise<readonly Check[]> {
  const config = loadConfig(env);
  const logger = errorLogger();
  const engine = await openWorkerEngine({ config, ...rereadingRules(config), logger });
  const threads = repair ? openThreads(config, logger) : null;
  const readAgain: ReadAgain | null =
    threads === null ? null : (job) => threads.run(job, { signal: new AbortController().signal, onProgress: () => undefined });
  try {
    await untilFilled(engine);
    const back = repair ? await putBack(engine) : 0;
    const counted = await engine.index.collectionStats(null);
    const found = await lookAtAll(engine, readAgain);
    if (repair) await readAsUploads(engine, found, { config, env, logger });
    return [
      tell({ ...found, back }, config),
      await checkCollections(engine, { held: found.held, counted }, repair),
      ...(await searcherOf(engine, repair)),
    ];
  } finally {
    await threads?.close();
    await engine.close();
  }
}

/** Where a searcher follows the index. */
async function searcherOf(engine: Engine, repair: boolean): Promise<Check[]> {
  const checked = await engine.index.checkSearcher?.(repair);
  if (checked === undefined) return [];
  const { missing, extra, backlog } = checked;
  const name = 'searcher';
  const waits =
    backlog.waiting === 0
      ? ''
      : ` ${counted(backlog.waiting, 'change')} waiting to be sent, the oldest for ${Math.round(backlog.seconds)} s.`;
  if (missing + extra === 0) return [{ name, state: 'ok', sentence: `The searcher has all documents and no others.${waits}` }];
  const found = `The searcher is missing ${counted(missing, 'document')} (it refused ${backlog.refused} of them) and has ${extra} too many.${waits}`;
  if (repair) return [{ name, state: 'warning', sentence: `${found} Workers send them again.` }];
  return [{ name, state: 'problem', sentence: `${found} "rag-intake doctor --repair" sends them again.` }];
}

type Found = {
  readonly count: number;
  /** What was found in each collection. */
  readonly held: Held;
  /** What was damaged, and became of it. */
  readonly damaged: Map<IndexedDocument, Checked>;
  /** Of version 0.1.0: browsers and clients take them out of every address. Each with the name that it was given, if any. */
  readonly nameless: Map<IndexedDocument, string | null>;
};

async function lookAtAll(engine: Engine, readAgain: ReadAgain | null): Promise<Found> {
  const damaged = new Map<IndexedDocument, Checked>();
  const nameless = new Map<IndexedDocument, string | null>();
  const held = new Map<string, { documents: number; chunks: number; bytes: number }>();
  let count = 0;
  for await (const document of documentsIn(engine)) {
    addTo(held, document);
    const checked = await checkDocument(engine, document, readAgain);
    count += 1;
    if (checked.is !== 'sound' && checked.is !== 'gone') damaged.set(document, checked);
    if (document.docId in newNames) nameless.set(document, null);
    if (readAgain !== null && checked.is !== 'gone')
      await engine.files.settle(document.docId, { id: document.version, ordinal: document.ordinal });
  }
  return { count, held, damaged, nameless };
}

const newNames: Readonly<Record<string, string>> = { '.': 'dot', '..': 'dot-dot' };

/** By a worker of its own, beside those of the servers. */
async function readAsUploads(
  engine: Engine,
  { damaged, nameless }: Found,
  { config, env, logger }: { config: Config; env: Readonly<Record<string, string | undefined>>; logger: Logger },
): Promise<void> {
  const otherwise = [...damaged].filter(([{ docId }, { is }]) => is === 'otherwise' && !(docId in newNames));
  const whole = [...nameless.keys()].filter((document) => damaged.get(document)?.is !== 'damaged');
  if (otherwise.length + whole.length === 0) return;
  const rules = rereadingRules(config);
  const worker = await startWorkerProcess(config, logger, { ...process.env, ...env, LOG_LEVEL: 'silent' });
  try {
    for (const [document, checked] of otherwise)
      if ((await reread(engine, document, rules)) !== null) damaged.set(document, { ...checked, is: 'damaged' });
    for (const document of whole) {
      const docId = await freeName(engine, newNames[document.docId]!);
      if ((await rename(engine, document, docId, rules)) !== null) continue;
      nameless.set(document, docId);
      damaged.delete(document);
    }
  } finally {
    await worker.stop();
  }
}

async function freeName(engine: Engine, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const docId = number === 1 ? name : `${name}-${number}`;
    if ((await engine.index.info(docId)) === null) return docId;
  }
}

/** An index that was damaged fills itself from the documents first. */
async function untilFilled(engine: Engine): Promise<void> {
  const question = { query: 'a', mode: 'keyword', topK: 1, offset: 0, filter: {} } as const;
  for (let left = fillSecondsMax; left > 0 && (await engine.index.search(question)).notice !== null; left -= 1) await pause(1000);
}

/** Stored documents that the index does not know, unless they were removed. Returns how many it took. */
async function putBack(engine: Engine): Promise<number> {
  let count = 0;
  for await (const { folder } of engine.files.documents()) {
    const meta = await readStagedMeta(folder).catch(() => null);
    if (meta === null || (await engine.index.info(meta.document.docId)) !== null) continue;
    const { faults } = await examineVersion(folder, meta.document);
    if (faults.length === 0 && (await engine.index.replace(meta.document, folder)) === 'ok') count += 1;
  }
  return count;
}

function tell({ count, damaged: found, nameless, back }: Found & { back: number }, { dataDir }: Config): Check {
  const damaged = [...found.values()].filter(({ is }) => is === 'damaged');
  const otherwise = [...found.values()].filter(({ is }) => is === 'otherwise').length;
  const mended = found.size - damaged.length - otherwise;
  const renamed = [...nameless].filter(([, name]) => name !== null);
  const kept = [...nameless.keys()].filter((document) => nameless.get(document) === null);
  const said = [
    mended === 0 ? '' : ` ${mended} were damaged and have been repaired.`,
    otherwise === 0 ? '' : ` ${otherwise} were damaged and have been read again; their text may differ.`,
    back === 0 ? '' : ` ${back} were missing from the index and have been added.`,
    ...renamed.map(([{ docId }, name]) => ` The document "${docId}" is now called "${name}".`),
    ...kept.map(
      ({ docId }) => ` The document ${quotedName(docId)} cannot be named in an address: "rag-intake doctor --repair" renames it.`,
    ),
  ].join('');
  if (damaged.length === 0) {
    const state = kept.length === 0 ? 'ok' : 'problem';
    return {
      name: 'documents',
      state,
      sentence: `${count === 1 ? 'The one document can be opened and is unchanged' : `All ${count} documents can be opened and are unchanged`}.${said}`,
    };
  }
  const named = damaged
    .slice(0, namedMax)
    .map(({ docId, faults }) => `${quotedName(docId)} (${faults.map(({ part, is }) => `${part} ${is}`).join(', ')})`);
  const more = damaged.length > namedMax ? `, and ${damaged.length - namedMax} more` : '';
  return {
    name: 'documents',
    state: 'problem',
    sentence: `${damaged.length} of ${count} documents in ${dataDir} are damaged: ${named.join('; ')}${more}.${said} "rag-intake doctor --repair" restores what the originals allow; upload the others again.`,
  };
}
