/** `reindex --reparse`: reads every document again from its original, on any engine, with a worker of its own beside those of the servers. */
import { quotedName } from '../documents/document-name.ts';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { v7 } from 'uuid';
import { rereadingRules, startWorkerProcess } from '../app.ts';
import { rereadAll, type Reread } from '../ingest/rereading.ts';
import { openWorkerEngine } from '../open-storage.ts';
import type { TaskId } from '../tasks/task.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { errorLogger, localSettings } from './local-settings.ts';
import type { Said } from './queries.ts';
import { counted } from './terminal-text.ts';

/** More than any worker's threads, so that none waits for this process. */
const atOnce = 8;
const noteEveryMs = 1000;

/**
 * Stopped or killed, it goes on after the last document that it has noted in `DATA_DIR/reparse.json`.
 * @throws CliError when it was stopped, or nothing could be opened.
 */
export async function reparse(dataDir: string, print: (line: string) => void, signal: AbortSignal): Promise<Said> {
  const config = { ...localSettings(), dataDir: resolve(dataDir) };
  const logger = errorLogger();
  const options = { now: () => new Date().toISOString(), newId: () => v7() as TaskId, logger };
  const note = createNote(join(config.dataDir, 'reparse.json'));
  const engine = await openWorkerEngine({ config, ...options });
  const worker = await startWorkerProcess(config, logger, { ...process.env, DATA_DIR: config.dataDir, LOG_LEVEL: 'silent' });
  let said = -Infinity;
  try {
    const after = await note.read();
    if (after !== null) print('Continuing where the previous run stopped.');
    const read = await rereadAll({
      ...rereadingRules(config),
      engine,
      atOnce,
      after,
      signal,
      onDone({ done, total, upTo }) {
        const isLast = done === total;
        if (!isLast && performance.now() - said < noteEveryMs) return;
        said = performance.now();
        print(`${done}/${counted(total, 'document')}`);
        note.write(upTo);
      },
    });
    await note.settled();
    if (signal.aborted) throw new CliError('Stopped; run it again to continue.', exitCodes.interrupted);
    await note.remove();
    return inWords(read);
  } finally {
    await worker.stop();
    await engine.close();
  }
}

function inWords({ documents, failed }: Reread): Said {
  const lines = failed.map(({ docId, error }) => `${quotedName(docId)}: ${error}`);
  const read = `${documents - failed.length} documents were read again.`;
  const text = failed.length === 0 ? read : `${read} These keep their old text:\n${lines.join('\n')}`;
  return { json: { documents, failed }, text };
}

/** Up to which doc_id all is done; written one after the other, and lost at most for a second. */
function createNote(path: string) {
  let writing = Promise.resolve();
  return {
    async read(): Promise<string | null> {
      const text = await readFile(path, 'utf8').catch(() => '{}');
      const { after } = JSON.parse(text) as { after?: unknown };
      return typeof after === 'string' ? after : null;
    },
    write(after: string | null): void {
      writing = writing
        .then(async () => {
          await mkdir(join(path, '..'), { recursive: true });
          await writeFile(`${path}.new`, JSON.stringify({ after }));
          await rename(`${path}.new`, path);
        })
        .catch(() => undefined);
    },
    settled: () => writing,
    remove: () => rm(path, { force: true }),
  };
}
