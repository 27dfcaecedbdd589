/**
 * Removes from the server what has gone from a folder. Only documents whose doc_id begins as those of this folder do; and nothing
 * at all when the folder was not seen whole, since what could not be read, or lies on a disk that is not mounted, is not gone.
 */
import { type ApiClient, sentenceOf } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { type FileList, type ListedFolder, listFiles } from './file-list.ts';
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

/**
 * `list`: how the folders of `paths` looked when they were sent. They are looked at again once it is known what the server has: what came meanwhile, here and
 * there, is not gone. What is on its way to be a document without a file is stopped. `yes`: also more than half of what is there. Never
 * throws for the server's sake.
 */
export async function mirror(
  client: ApiClient,
  { paths, prefix, list }: { paths: readonly string[]; prefix: string; list: FileList },
  { yes }: { yes: boolean },
): Promise<MirrorOutcome> {
  const removed: string[] = [];
  const refused: string[] = [];
  for (const [i, path] of paths.entries()) await mirrorOne(path, list.folders[i]!).catch(noteServer);
  return { removed, refused };

  async function mirrorOne(path: string, before: ListedFolder): Promise<void> {
    const there = before.isWhole ? await allUnder(client, before) : [];
    const now = await listFiles([path], prefix);
    const folder = before.isWhole ? (now.folders[0] ?? { ...before, isWhole: false }) : before;
    const gone = there.filter((docId) => !now.seen.has(docId.normalize('NFC')));
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
export async function someOnTheirWay(client: ApiClient, folder: Pick<ListedFolder, 'docIdPrefix'>): Promise<boolean> {
  return (await onTheirWay(client, folder).next()).done !== true;
}

async function* onTheirWay(client: ApiClient, { docIdPrefix }: Pick<ListedFolder, 'docIdPrefix'>): AsyncGenerator<string> {
  for (const status of ['pending', 'processing']) {
    for (let cursor: string | undefined; ;) {
      const page = await client.json<WireTaskPage>({ path: ['tasks'], query: { status, limit: 1000, cursor } });
      for (const { doc_id: docId } of page.tasks) if (docId.normalize('NFC').startsWith(docIdPrefix)) yield docId;
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
  }
}

/** Documents, and what is on its way to be one. In this order: what ends between the two questions is among the documents. */
async function allUnder(client: ApiClient, folder: ListedFolder): Promise<string[]> {
  const all = new Set<string>();
  for await (const docId of onTheirWay(client, folder)) all.add(docId);
  for (const docId of await documentsUnder(client, folder)) all.add(docId);
  return [...all];
}
