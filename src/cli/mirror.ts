/**
 * Removes from the server what has gone from a folder. Only documents whose doc_id begins as those of this folder do; and nothing
 * at all when the folder was not seen whole, since what could not be read, or lies on a disk that is not mounted, is not gone.
 */
import { type ApiClient, sentenceOf } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { FileList, ListedFolder } from './file-list.ts';
import type { WireDocumentPage, WireTaskPage } from './wire-records.ts';

export type MirrorOutcome = {
  /** The doc_ids that are gone now. */
  readonly removed: readonly string[];
  /** Why something was not removed that may be gone, in a sentence each. */
  readonly refused: readonly string[];
};

/** Above this share of what is there, somebody has to say yes: a folder half empty is more often a mistake than a wish. */
export const shareMax = 0.5;

/** @throws CliError `usage` when a path is no folder. */
export function requireFolders(paths: readonly string[], list: FileList): void {
  if (list.folders.length === paths.length) return;
  throw new CliError('--mirror is for folders; one of these paths is none, or cannot be read.', exitCodes.usage);
}

/** `yes`: also more than half of what is there. Never throws for the server's sake. */
export async function mirror(client: ApiClient, list: FileList, { yes }: { yes: boolean }): Promise<MirrorOutcome> {
  const removed: string[] = [];
  const refused: string[] = [];
  for (const folder of list.folders) await mirrorOne(folder).catch(noteServer);
  return { removed, refused };

  async function mirrorOne(folder: ListedFolder): Promise<void> {
    const there = folder.isWhole ? await documentsUnder(client, folder) : [];
    const gone = there.filter((docId) => !list.seen.has(docId.normalize('NFC')));
    const reason = whyNot(folder, { there: there.length, gone: gone.length, yes });
    if (reason !== null) refused.push(reason);
    else for (const docId of gone) await remove(docId);
  }

  /** It has gone, or refuses: what was brought stays reported. */
  function noteServer(error: unknown): void {
    if (!(error instanceof CliError)) throw error;
    refused.push(error.message);
  }

  async function remove(docId: string): Promise<void> {
    const reply = await client.send({ method: 'DELETE', path: ['documents', docId] });
    if (reply.status === 200 || reply.status === 404) removed.push(docId);
    else refused.push(`${docId}: ${sentenceOf(reply)}`);
  }
}

function whyNot(
  { path, isWhole }: ListedFolder,
  { there, gone, yes }: { there: number; gone: number; yes: boolean },
): string | null {
  if (!isWhole) return `Nothing was removed for ${path}: not all of it could be read.`;
  if (yes || gone <= there * shareMax) return null;
  return `Nothing was removed for ${path}: ${gone} of its ${there} documents are not in it any more. If that is meant, say --yes.`;
}

/** The doc_id of every document that begins as those of this folder do. */
export async function documentsUnder(client: ApiClient, { docIdPrefix }: Pick<ListedFolder, 'docIdPrefix'>): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.json<WireDocumentPage>({ path: ['documents'], query: { limit: 1000, cursor } });
    found.push(
      ...page.documents.map(({ doc_id: docId }) => docId).filter((docId) => docId.normalize('NFC').startsWith(docIdPrefix)),
    );
    if (page.next_cursor === null) return found;
    cursor = page.next_cursor;
  }
}

/** Whether uploads are on their way whose doc_id begins as those of this folder do: what they make is in no list of documents yet. */
export async function someOnTheirWay(client: ApiClient, { docIdPrefix }: Pick<ListedFolder, 'docIdPrefix'>): Promise<boolean> {
  for (const status of ['pending', 'processing']) {
    for (let cursor: string | undefined; ;) {
      const page = await client.json<WireTaskPage>({ path: ['tasks'], query: { status, limit: 1000, cursor } });
      if (page.tasks.some(({ doc_id: docId }) => docId.normalize('NFC').startsWith(docIdPrefix))) return true;
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
  }
  return false;
}
