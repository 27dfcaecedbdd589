/** The commands that ask a server or tell it something: search, tasks, task, cancel, retry, documents, webhooks. */
import { type ApiClient, sentenceOf } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { emphasised, fileSize, printable, table } from './terminal-text.ts';
import type { WireDelivery, WireDocument, WireDocumentPage, WireSearchReply, WireTask, WireTaskPage } from './wire-records.ts';

/** What a command has to say: the server's answer as it is for --json, and text for a person. */
export type Said = { readonly json: unknown; readonly text: string };

export type SearchOptions = {
  readonly topK: number;
  readonly mode: 'hybrid' | 'keyword' | 'vector';
  readonly docIds: readonly string[];
  readonly filter?: object | undefined;
  /** In place of the client's own; `['*']`: all that the key may read. */
  readonly collections?: readonly string[] | undefined;
  /** 0–1. */
  readonly minRelevance?: number | undefined;
  /** Whether what matched may be shown in bold. */
  readonly bold: boolean;
};

export async function search(client: ApiClient, query: string, options: SearchOptions): Promise<Said> {
  const { topK, mode, docIds, filter, minRelevance, collections } = options;
  const json = await client.json<WireSearchReply>({
    method: 'POST',
    path: ['search'],
    json: {
      query,
      top_k: topK,
      mode,
      ...(docIds.length === 0 ? {} : { doc_ids: docIds }),
      filters: filter,
      collections,
      min_relevance: minRelevance,
    },
  });
  const hits = json.hits.map(({ citation, text, highlights, score, also_in = [] }, index) => {
    const { filename, doc_id, page, page_end, section } = citation;
    const pages = page === null ? '' : `, page ${page}${page_end === null || page_end === page ? '' : `–${page_end}`}`;
    const where = section.length === 0 ? '' : ` › ${section.join(' › ')}`;
    const name = doc_id === filename ? filename : `${filename} [${doc_id}]`;
    const from = collections === undefined ? name : `${citation.collection}: ${name}`;
    const also = also_in.length === 0 ? '' : ` (also in ${also_in.map((place) => place.filename).join(', ')})`;
    return `${index + 1}. ${printable(`${from}${pages}${where}${also}`)}  (${score.toFixed(3)})\n   ${emphasised(text, highlights, options.bold)}`;
  });
  const notice = json.notice === null ? [] : [printable(json.notice)];
  if (json.shown_for !== null) notice.push(`Showing results for: ${printable(json.shown_for)}`);
  return { json, text: [...notice, ...(hits.length === 0 ? ['Nothing found.'] : hits)].join('\n') };
}

export type TaskListOptions = {
  readonly status?: string | undefined;
  readonly doc_id?: string | undefined;
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly filter?: object | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export async function listTasks(client: ApiClient, { filter, ...options }: TaskListOptions): Promise<Said> {
  const json = await client.json<WireTaskPage>({ path: ['tasks'], query: { ...options, filters: asText(filter) } });
  const rows = json.tasks.map((task) => [
    task.task_id,
    task.status === 'processing' ? `${task.stage} ${Math.floor(task.progress.percent)}%` : task.status,
    task.doc_id,
    fileSize(task.file_size),
    task.created_at,
    task.error,
  ]);
  return { json, text: table(['TASK', 'STATUS', 'DOCUMENT', 'SIZE', 'CREATED', 'ERROR'], rows) + more(json.next_cursor) };
}

export async function showTask(client: ApiClient, id: string, options: { wait: boolean }): Promise<Said> {
  for (;;) {
    const task = await client.json<WireTask>({ path: ['task', id], query: { wait: options.wait ? 30 : undefined } });
    if (!options.wait || task.status === 'completed' || task.status === 'failed') return { json: task, text: fields(task) };
  }
}

export async function cancelTask(client: ApiClient, id: string, options: { force: boolean }): Promise<Said> {
  const query = options.force ? { force: 'true' } : {};
  const json = await client.json<{ message: string }>({ method: 'DELETE', path: ['task', id], query });
  return { json, text: `${printable(json.message)}: ${printable(id)}` };
}

export async function retryTask(client: ApiClient, id: string): Promise<Said> {
  const json = await client.json<{ task_id: string }>({ method: 'POST', path: ['task', id, 'retry'] });
  return { json, text: `Waiting again: ${printable(json.task_id)}` };
}

export type DocumentListOptions = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly filter?: object | undefined;
};

export async function listDocuments(client: ApiClient, { filter, ...options }: DocumentListOptions): Promise<Said> {
  const json = await client.json<WireDocumentPage>({ path: ['documents'], query: { ...options, filters: asText(filter) } });
  const rows = json.documents.map((document) => [
    document.doc_id,
    document.filename,
    fileSize(document.file_size),
    document.pages,
    document.chunks,
    document.inserted_at,
  ]);
  return { json, text: table(['DOCUMENT', 'FILE', 'SIZE', 'PAGES', 'CHUNKS', 'INSERTED'], rows) + more(json.next_cursor) };
}

export async function showDocument(client: ApiClient, docId: string): Promise<Said> {
  const json = await client.json<WireDocument>({ path: ['documents', docId] });
  return { json, text: fields(json) };
}

/** The parsed text, as Markdown. */
export async function documentContent(client: ApiClient, docId: string): Promise<string> {
  const reply = await client.send({ path: ['documents', docId, 'content'], headers: { accept: 'text/markdown' } });
  if (reply.status !== 200) throw new CliError(sentenceOf(reply));
  return reply.text;
}

/** What is said of a document: only what is given changes. */
export type DocumentChanges = {
  readonly metadata?: object | null | undefined;
  readonly title?: string | undefined;
  readonly filename?: string | undefined;
};

export async function changeDocument(client: ApiClient, docId: string, changes: DocumentChanges): Promise<Said> {
  const json = await client.json<WireDocument>({ method: 'PATCH', path: ['documents', docId], json: changes });
  return { json, text: fields(json) };
}

export async function deleteDocuments(client: ApiClient, filter: object): Promise<Said> {
  const query = { filters: asText(filter) };
  const json = await client.json<{ message: string; more: boolean }>({ method: 'DELETE', path: ['documents'], query });
  return { json, text: `${printable(json.message)}${json.more ? '; there may be more: run it again' : ''}` };
}

function asText(filter: object | undefined): string | undefined {
  return filter === undefined ? undefined : JSON.stringify(filter);
}

export async function deleteDocument(client: ApiClient, docId: string): Promise<Said> {
  const json = await client.json<{ message: string }>({ method: 'DELETE', path: ['documents', docId] });
  return { json, text: `${printable(json.message)}: ${printable(docId)}` };
}

export async function listDeliveries(client: ApiClient, options: { state: string | undefined; limit: number }): Promise<Said> {
  const json = await client.json<{ deliveries: WireDelivery[] }>({ path: ['webhooks', 'deliveries'], query: { ...options } });
  const rows = json.deliveries.map(({ id, state, url, attempts, due_at }) => {
    const last = attempts.at(-1);
    return [id, state, url, attempts.length, last === undefined ? null : (last.error ?? last.status), due_at];
  });
  return { json, text: table(['DELIVERY', 'STATE', 'URL', 'ATTEMPTS', 'LAST', 'NEXT'], rows) };
}

export async function replayDelivery(client: ApiClient, id: string): Promise<Said> {
  const json = await client.json<WireDelivery>({ method: 'POST', path: ['webhooks', 'deliveries', id, 'replay'] });
  return { json, text: `Sent again: ${printable(json.id)}` };
}

/** One line for each field that says something. */
function fields(record: object): string {
  return Object.entries(record)
    .filter(([name, value]) => value !== null && name !== 'links')
    .map(([name, value]) => `${name}: ${printable(typeof value === 'object' ? JSON.stringify(value) : String(value))}`)
    .join('\n');
}

function more(cursor: string | null): string {
  return cursor === null ? '' : `\nThere are more: --cursor ${cursor}`;
}

type WireCollection = { name: string; title: string | null; documents: number; chunks: number; bytes: number };

export async function listCollections(client: ApiClient): Promise<Said> {
  const json = await client.json<{ collections: WireCollection[] }>({ path: ['collections'] });
  const rows = json.collections.map(({ name, title, documents, chunks, bytes }) => [
    name,
    title,
    documents,
    chunks,
    fileSize(bytes),
  ]);
  return { json, text: table(['COLLECTION', 'TITLE', 'DOCUMENTS', 'CHUNKS', 'SIZE'], rows) };
}

/** What is said of a collection: only what is given changes. */
export type CollectionSaid = { readonly title?: string; readonly description?: string; readonly settings?: object };

export async function showCollection(client: ApiClient, name: string): Promise<Said> {
  const json = await client.json<WireCollection>({ path: ['collections', name] });
  return { json, text: fields(json) };
}

export async function createCollection(client: ApiClient, name: string, said: CollectionSaid): Promise<Said> {
  const json = await client.json<WireCollection>({ method: 'PUT', path: ['collections', name], json: said });
  return { json, text: `The collection ${printable(json.name)} is ready.` };
}

export async function deleteCollection(client: ApiClient, name: string, confirm: string): Promise<Said> {
  const json = await client.json<{ message: string }>({ method: 'DELETE', path: ['collections', name], query: { confirm } });
  return { json, text: `${printable(json.message)}: ${printable(name)}` };
}
