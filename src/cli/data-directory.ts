/** What is done to a data directory itself: backup, restore, new vectors. The work is the engine's and the index's; here it is told in words. */
import { join, resolve } from 'node:path';
import { embedderSettings } from '../embed/create-embedder.ts';
import { backupDataDir } from '../storage/file/backup.ts';
import { BackupError } from '../storage/file/backup-format.ts';
import { restoreDataDir } from '../storage/file/restore.ts';
import { openThreadedIndex, type ThreadedIndex } from '../search/sqlite/threaded-index.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { errorLogger, localSettings, requireDataDirectory } from './local-settings.ts';
import type { Said } from './queries.ts';
import { counted, fileSize } from './terminal-text.ts';

/** What was said, and whether all of it is well. */
export type Done = Said & { readonly isWell: boolean };

export async function backUp(dataDir: string, target: string): Promise<Done> {
  refuseDatabase('Back it up with pg_dump; servers may keep running.');
  requireDataDirectory(dataDir);
  const summary = await inWords(
    backupDataDir({ dataDir: resolve(dataDir), target: resolve(target), now: () => new Date().toISOString() }),
  );
  const { tasks, documents, files, bytes, damaged } = summary;
  const said = `Backed up ${counted(documents, 'document')} and ${counted(tasks, 'task')} (${counted(files, 'file')}, ${fileSize(bytes)}), each flushed and listed with its SHA-256.`;
  return {
    json: summary,
    text:
      damaged.length === 0
        ? said
        : `${said}\n${damagedText(damaged)} "rag-intake doctor --repair" repairs what can be repaired; then back up again.`,
    isWell: damaged.length === 0,
  };
}

export async function restore(source: string, dataDir: string): Promise<Done> {
  refuseDatabase('Restore it with pg_restore.');
  const summary = await inWords(
    restoreDataDir({
      source: resolve(source),
      dataDir: resolve(dataDir),
      openIndex: (indexDir) => openIndex(indexDir),
    }),
  );
  const { tasks, documents, files, repaired, damaged } = summary;
  const said = `Restored ${counted(documents, 'document')} and ${counted(tasks, 'task')}; all ${files} files have the SHA-256 they were backed up with, and every document was opened. Documents added to or removed from the index: ${repaired}.`;
  return {
    json: summary,
    text:
      damaged.length === 0
        ? said
        : `${said}\n${damagedText(damaged)} They were damaged when they were backed up. "rag-intake doctor --repair" repairs what can be repaired.`,
    isWell: damaged.length === 0,
  };
}

function damagedText(damaged: readonly string[]): string {
  const named = damaged.slice(0, 10).map((name) => JSON.stringify(name));
  return `Damaged: ${damaged.length} (${named.join(', ')}${damaged.length > 10 ? ', …' : ''}).`;
}

/** Gives every document vectors of the embedder that the settings name, while servers go on searching. */
export async function reindex(dataDir: string, onProgress: (left: number) => void, signal: AbortSignal): Promise<Said> {
  refuseDatabase('Documents get vectors of another embedder when they are uploaded again.');
  requireDataDirectory(dataDir);
  const index = await openIndex(join(resolve(dataDir), 'index'));
  try {
    const faults = await index.check();
    if (faults.length > 0) throw new CliError(`The index is damaged (${faults[0]}); restart the server, which rebuilds it.`);
    await index.reindex(onProgress, signal);
    const { documents, chunks } = await index.stats();
    return {
      json: { documents, chunks },
      text: `All documents (${documents}, in ${counted(chunks, 'chunk')}) have vectors of the current embedder.`,
    };
  } finally {
    await index.close();
  }
}

/** @throws CliError when the settings say that everything is in a database. */
function refuseDatabase(instead: string): void {
  if (localSettings().databaseUrl !== '')
    throw new CliError(
      `This command works on a data directory, but DATABASE_URL keeps everything in a database. ${instead}`,
      exitCodes.settings,
    );
}

/** As a server would open it: with another embedder its vectors would count as old. */
function openIndex(indexDir: string): Promise<ThreadedIndex> {
  const embedder = embedderSettings(localSettings());
  return openThreadedIndex({ indexDir, embedder, threads: 1, logger: errorLogger() });
}

async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BackupError) throw new CliError(error.message, 1);
    throw error;
  }
}
