/** The part of the doctor that opens every document through the index, and mends what can be mended. */
import { loadConfig, type Config } from '../config.ts';
import { openThreads } from '../app.ts';
import { checkDocument, type Checked, documentsIn, type ReadAgain } from '../ingest/checkup.ts';
import type { Engine } from '../engines/engine.ts';
import { examineVersion } from '../search/soundness.ts';
import { readStagedMeta } from '../search/staging.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { openWorkerEngine } from '../storage.ts';
import type { TaskId } from '../tasks/task.ts';
import { v7 } from 'uuid';
import { errorLogger } from './local-settings.ts';

export type DocumentsCheck = { readonly state: 'ok' | 'problem'; readonly sentence: string };

/** Named in the sentence; --json names all. */
const namedMax = 5;
/** How long an index may take to fill before it is looked at as it is. */
const fillSecondsMax = 600;

/** Beside servers that run, or alone. `repair`: what was made of an original that is whole is made again. */
export async function checkDocuments(env: Readonly<Record<string, string | undefined>>, repair: boolean): Promise<DocumentsCheck> {
  const config = loadConfig(env);
  const logger = errorLogger();
  const engine = await openWorkerEngine({ config, now: () => new Date().toISOString(), newId: () => v7() as TaskId, logger });
  const threads = repair ? openThreads(config, logger) : null;
  const readAgain: ReadAgain | null =
    threads === null ? null : (job) => threads.run(job, { signal: new AbortController().signal, onProgress: () => undefined });
  try {
    await untilFilled(engine);
    const back = repair ? await putBack(engine) : 0;
    const found: Checked[] = [];
    let count = 0;
    for await (const document of documentsIn(engine)) {
      const checked = await checkDocument(engine, document, readAgain);
      count += 1;
      if (checked.is === 'mended' || checked.is === 'damaged') found.push(checked);
      if (repair && checked.is !== 'gone')
        await engine.files.settle(document.docId, { id: document.version, ordinal: document.ordinal });
    }
    return tell({ count, found, back }, config);
  } finally {
    await threads?.close();
    await engine.close();
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

type Result = { readonly count: number; readonly found: readonly Checked[]; readonly back: number };

function tell({ count, found, back }: Result, { dataDir }: Config): DocumentsCheck {
  const damaged = found.filter(({ is }) => is === 'damaged');
  const mended = found.length - damaged.length;
  const said = [
    mended === 0 ? '' : ` ${mended} were damaged and are mended.`,
    back === 0 ? '' : ` ${back} were missing from the index and are found again.`,
  ].join('');
  if (damaged.length === 0) return { state: 'ok', sentence: `All ${count} documents open and are as they were written.${said}` };
  const named = damaged
    .slice(0, namedMax)
    .map(({ docId, faults }) => `${JSON.stringify(docId)} (${faults.map(({ part, is }) => `${part} ${is}`).join(', ')})`);
  const more = damaged.length > namedMax ? `, and ${damaged.length - namedMax} more` : '';
  return {
    state: 'problem',
    sentence: `${damaged.length} of ${count} documents in ${dataDir} are damaged: ${named.join('; ')}${more}.${said} "rag-intake doctor --repair" makes again what can be made of the original; upload the others again.`,
  };
}
