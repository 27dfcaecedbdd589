/** Backup and restore of a data directory: the engine's own work, told in words. */
import { resolve } from 'node:path';
import { v7 } from 'uuid';
import { backupDataDir, BackupError, restoreDataDir } from '../engines/file/backup.ts';
import { createLogger } from '../logger.ts';
import { openThreadedIndex } from '../search/threaded-index.ts';
import type { TaskId } from '../tasks/task.ts';
import { CliError } from './cli-error.ts';
import type { Said } from './queries.ts';
import { fileSize } from './terminal-text.ts';

export async function backUp(dataDir: string, target: string): Promise<Said> {
  const summary = await inWords(
    backupDataDir({ dataDir: resolve(dataDir), target: resolve(target), now: () => new Date().toISOString() }),
  );
  const { tasks, documents, files, bytes } = summary;
  return {
    json: summary,
    text: `Backed up ${documents} documents and ${tasks} tasks (${files} files, ${fileSize(bytes)}), each flushed and listed with its SHA-256.`,
  };
}

export async function restore(source: string, dataDir: string): Promise<Said> {
  const logger = createLogger({ level: 'error' });
  const summary = await inWords(
    restoreDataDir({
      source: resolve(source),
      dataDir: resolve(dataDir),
      // Nothing is embedded here: the vectors lie beside the documents.
      openIndex: (indexDir) => openThreadedIndex({ indexDir, embedder: { kind: 'builtin' }, threads: 1, logger }),
      newId: () => v7() as TaskId,
    }),
  );
  const { tasks, documents, files, repaired } = summary;
  return {
    json: summary,
    text: `Restored ${documents} documents and ${tasks} tasks; all ${files} files have the SHA-256 they were backed up with. Documents that the index had to learn or forget: ${repaired}.`,
  };
}

async function inWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BackupError) throw new CliError(error.message, 1);
    throw error;
  }
}
