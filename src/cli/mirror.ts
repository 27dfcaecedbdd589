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
const shareMax = 0.5;

/** Whether so many of what is there go only when somebody says yes, however few they are: a disk that is not mounted looks like this. */
export function isTooMuch(gone: number, there: number): boolean {
  return gone > there * shareMax;
}

/** @throws CliError `usage` when a path is no folder. */
export function requireFolders(paths: readonly string[], list: FileList): void {
  if (list.folders.length === paths.length) return;
  throw new CliError('--mirror needs folders; one of these paths is not a folder, or cannot be read.', exitCodes.usage);
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
  const asked = await askForAll(Object.values(Object.groupBy(list.folders, ({ docIdPrefix }) => docIdPrefix)));
  // All of them at once: what one of two folders of one name holds, the other one does not have, and neither has gone.
  const now = await listFiles(paths, prefix).catch(noteServer);
  if (now !== undefined)
    for (const { folders, there } of asked) await removeGone(lookedAtAgain(folders, now), there, now).catch(noteServer);
  return { removed, refused };

  async function askForAll(sharing: readonly (readonly ListedFolder[] | undefined)[]): Promise<Asked[]> {
    const all: Asked[] = [];
    for (const folders of sharing) {
      const there = folders!.every(({ isWhole }) => isWhole) ? await allUnder(client, folders![0]!).catch(noteServer) : [];
      if (there !== undefined) all.push({ folders: folders!, there });
    }
    return all;
  }

  async function removeGone(folders: readonly ListedFolder[], there: readonly string[], { seen }: FileList): Promise<void> {
    const gone = there.filter((docId) => !seen.has(docId.normalize('NFC')));
    const reason = whyNot(folders, { there: there.length, gone: gone.length, yes });
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

/** Folders whose documents have doc_ids that begin alike, and the doc_id of each that is there or on its way. */
type Asked = { readonly folders: readonly ListedFolder[]; readonly there: readonly string[] };

/** Whole only when it was so both times, and leads to the same doc_ids. */
function lookedAtAgain(folders: readonly ListedFolder[], now: FileList): ListedFolder[] {
  return folders.map((before) => {
    const after = now.folders.find(({ path, docIdPrefix }) => path === before.path && docIdPrefix === before.docIdPrefix);
    return { ...before, isWhole: before.isWhole && after?.isWhole === true };
  });
}

function whyNot(
  folders: readonly ListedFolder[],
  { there, gone, yes }: { there: number; gone: number; yes: boolean },
): string | null {
  const path = folders.map((folder) => folder.path).join(', ');
  if (!folders.every(({ isWhole }) => isWhole)) return `Nothing was deleted for ${path}: not all of it could be read.`;
  if (yes || !isTooMuch(gone, there)) return null;
  return `Nothing was deleted for ${path}: ${gone} of its ${there} documents are no longer in it. If this is intended, add --yes.`;
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
