/**
 * Requests to our own server. Every address is relative to the page, so that the page works under any path prefix; nothing here
 * ever names another origin.
 */
import { signal } from '@preact/signals';
import { collectionMember, collectionQuery, everyCollection } from './collection.ts';
import type {
  MetadataValue,
  WireChunkPage,
  WireCollectionList,
  WireConfig,
  WireDocument,
  WireDocumentPage,
  WirePageLook,
  WireKey,
  WireKeyList,
  WireProblem,
  WireSearch,
  WireStatus,
  WireTask,
  WireTaskPage,
} from './wire.ts';

/** True from the moment the server asks for a key until one is accepted. */
export const keyWanted = signal(false);

/** An answer that is not a success, or none at all (`status` 0). The message is the server's sentence. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly requestId: string | null;
  /** Null where the server named no time. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, message: string, fields: { code?: string; requestId?: string; retryAfterSeconds?: number } = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = fields.code ?? null;
    this.requestId = fields.requestId ?? null;
    this.retryAfterSeconds = fields.retryAfterSeconds ?? null;
  }
}

export function getConfig(): Promise<WireConfig> {
  return readJson('config');
}

export function listCollections(): Promise<WireCollectionList> {
  return readJson('collections');
}

/** @throws DOMException `TimeoutError` when `signal` is a time that is over. */
export function getStatus(signal: AbortSignal): Promise<WireStatus> {
  return readJson('status', { signal });
}

export function listTasks(query: ListQuery & { status?: string }): Promise<WireTaskPage> {
  return readJson(`tasks?${parameters(query)}`);
}

/** Null when there is no such task (any more). */
export function getTask(taskId: string): Promise<WireTask | null> {
  return readOrNull(`task/${encodeURIComponent(taskId)}`);
}

export async function cancelTask(taskId: string, options: { force: boolean }): Promise<void> {
  await request(`task/${encodeURIComponent(taskId)}${options.force ? '?force=true' : ''}`, { method: 'DELETE' });
}

export async function retryTask(taskId: string): Promise<void> {
  await request(`task/${encodeURIComponent(taskId)}/retry`, { method: 'POST' });
}

export type ListQuery = { limit: number; cursor?: string; q?: string; sort?: string; filters?: string };

export function listDocuments(query: ListQuery): Promise<WireDocumentPage> {
  return readJson(`documents?${parameters(query)}`);
}

/** Those of `docIds` that there are, by doc_id. Asked for many at once: nothing that is missing is an error. */
export async function findDocuments(docIds: readonly string[]): Promise<ReadonlyMap<string, WireDocument>> {
  const found = new Map<string, WireDocument>();
  for (const filters of filtersOf(docIds)) {
    for (const each of (await listDocuments({ limit: idsAtOnce, filters })).documents) found.set(each.doc_id, each);
  }
  return found;
}

/** Addresses that together delete these documents. */
export function deletionPaths(docIds: readonly string[]): readonly string[] {
  const [only] = docIds;
  if (docIds.length === 1 && only !== undefined) return [documentPath(only)];
  return filtersOf(docIds).map((filters) => `documents?${parameters({ filters })}`);
}

/** One of `deletionPaths`; what is gone already is no error. */
export async function deleteAt(path: string): Promise<void> {
  for (;;) {
    const response = await request(path, { method: 'DELETE' }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    });
    const { more = false } = response === null ? {} : ((await response.json()) as { more?: boolean });
    if (!more) return;
  }
}

export type CollectionChange = {
  readonly title: string | null;
  readonly description: string | null;
  readonly settings: { readonly synonyms: readonly (readonly string[])[]; readonly chunk_tokens: number | null };
};

/** Makes it, or changes what is said of it. */
export async function putCollection(name: string, change: CollectionChange): Promise<void> {
  await request(`collections/${encodeURIComponent(name)}`, { ...jsonBody(change), method: 'PUT' });
}

/** With everything in it. */
export async function deleteCollection(name: string): Promise<void> {
  const part = encodeURIComponent(name);
  await request(`collections/${part}?confirm=${part}`, { method: 'DELETE' });
}

export function listKeys(): Promise<WireKeyList> {
  return readJson('keys');
}

/** Its answer is the only place where the key is. */
export function createKey(
  key: Pick<WireKey, 'name' | 'scope'> & { readonly collections: readonly string[] | null },
): Promise<WireKey & { readonly key: string }> {
  return readJson('keys', { ...jsonBody(key), method: 'POST' });
}

export async function revokeKey(name: string): Promise<void> {
  await request(`keys/${encodeURIComponent(name)}`, { method: 'DELETE' });
}

export type DocumentChange = {
  readonly title?: string | null;
  readonly filename?: string;
  /** A member that is null is taken away. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>;
};

export function changeDocument(docId: string, change: DocumentChange): Promise<WireDocument> {
  return readJson(documentPath(docId), { ...jsonBody(change), method: 'PATCH' });
}

/** Ids of one request, and characters of an address: proxies take 8 KB. */
const idsAtOnce = 100;
const filterCharactersMax = 5000;

function filtersOf(docIds: readonly string[]): readonly string[] {
  const groups: string[][] = [];
  let characters = filterCharactersMax;
  for (const id of docIds) {
    const own = encodeURIComponent(id).length + 9;
    const group = groups.at(-1);
    characters += own;
    if (group !== undefined && characters <= filterCharactersMax && group.length < idsAtOnce) {
      group.push(id);
    } else {
      groups.push([id]);
      characters = own;
    }
  }
  return groups.map((value) => JSON.stringify({ type: 'in', key: '$doc_id', value }));
}

/** Null when there is no such document (any more). `collection`: null for this page's own, here and below. */
export function getDocument(docId: string, collection: string | null = null): Promise<WireDocument | null> {
  return readOrNull(documentPath(docId, '', collection));
}

/** The parsed text as it arrives. */
export async function openContent(
  docId: string,
  collection: string | null,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const response = await request(documentPath(docId, '/content', collection), { signal });
  if (response.body === null) throw new ApiError(response.status, 'The answer has no body.');
  return response.body;
}

/** Where a page of a document begins in its text. */
export type PageStart = { readonly start: number; readonly page: number };

/** Passages of a document that are looked at for its pages; of a longer one only the first pages are known. */
const passagesForPages = 1000;

/** In order; empty where a document has no pages. */
export async function listPageStarts(docId: string, collection: string | null, signal: AbortSignal): Promise<readonly PageStart[]> {
  const path = documentPath(docId, '/chunks', collection);
  const mark = path.includes('?') ? '&' : '?';
  const { chunks } = await readJson<WireChunkPage>(`${path}${mark}limit=${passagesForPages}`, { signal });
  const starts: PageStart[] = [];
  for (const { page, char_start: start } of chunks) if (page !== null && page !== starts.at(-1)?.page) starts.push({ start, page });
  return starts;
}

/** What a page looks like; null where the server does not know. */
export async function getPageLook(docId: string, collection: string | null, page: number): Promise<WirePageLook | null> {
  const path = documentPath(docId, '/look', collection);
  const mark = path.includes('?') ? '&' : '?';
  return (await readJson<{ look: WirePageLook | null }>(`${path}${mark}page=${page}`)).look;
}

/** Where the original is; absolute, for links and for pdf.js. */
export function originalUrl(docId: string, collection: string | null = null): string {
  return new URL(documentPath(docId, '/file', collection), document.baseURI).href;
}

export type SearchRequest = {
  readonly query: string;
  /** A collection, or `everyCollection`; null: this page's own. */
  readonly where: string | null;
  /** Only in this document; null: in all. */
  readonly docId: string | null;
  readonly topK: number;
  /** Hits to pass over. */
  readonly offset: number;
  /** Null: of any type, of any time. */
  readonly mediaType: string | null;
  readonly insertedAfter: string | null;
  /** A filter of the server's grammar, as JSON; null for none. */
  readonly filters: string | null;
};

export function search(asked: SearchRequest, signal: AbortSignal): Promise<WireSearch> {
  const body = {
    query: asked.query,
    ...placeMember(asked.where),
    top_k: asked.topK,
    ...(asked.offset === 0 ? {} : { offset: asked.offset }),
    ...(asked.docId === null ? {} : { doc_ids: [asked.docId] }),
    ...(asked.mediaType === null ? {} : { media_type: asked.mediaType }),
    ...(asked.filters === null ? {} : { filters: JSON.parse(asked.filters) as object }),
    ...(asked.insertedAfter === null ? {} : { inserted_after: asked.insertedAfter }),
  };
  return readJson('search', { ...jsonBody(body), signal });
}

/** Where to look, as a member of a JSON body. */
export function placeMember(where: string | null): { collection?: string; collections?: readonly string[] } {
  if (where === null) return collectionMember();
  return where === everyCollection ? { collections: [everyCollection] } : { collection: where };
}

/** @throws ApiError 401 when the key is wrong. */
export async function login(key: string): Promise<void> {
  await request('login', jsonBody({ key }));
  keyWanted.value = false;
}

export async function logout(): Promise<void> {
  await request('logout', { method: 'POST' });
  keyWanted.value = true;
}

/** The answer, if it is a success; what goes wrong is said in the language of the page, as far as the server has it. @throws ApiError otherwise, and AbortError (a DOMException) when `init.signal` aborts. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    const headers = new Headers(init.headers);
    headers.set('accept-language', document.documentElement.lang);
    response = await fetch(path, { ...init, headers, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (error instanceof DOMException && ['AbortError', 'TimeoutError'].includes(error.name)) throw error;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  if (response.ok) return response;
  if (response.status === 401 && path !== 'login') keyWanted.value = true;
  throw toApiError(response.status, response.headers.get('retry-after'), await response.text().catch(() => ''));
}

/** Reads a problem document, or makes do with the status when the answer is something else (a proxy's page). */
export function toApiError(status: number, retryAfter: string | null, body: string): ApiError {
  const problem = parseProblem(body);
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const said = problem.detail ?? problem.title ?? `HTTP ${status}`;
  return new ApiError(status, problem.reason === undefined ? said : `${said} ${problem.reason}`, {
    ...(problem.code === undefined ? {} : { code: problem.code }),
    ...(problem.request_id === undefined ? {} : { requestId: problem.request_id }),
    ...(Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}),
  });
}

function parseProblem(body: string): WireProblem {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as WireProblem) : {};
  } catch {
    return {};
  }
}

async function readOrNull<T>(path: string): Promise<T | null> {
  try {
    return await readJson<T>(path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

async function readJson<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await request(path, init);
  return (await response.json()) as T;
}

function jsonBody(value: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function documentPath(docId: string, part = '', collection: string | null = null): string {
  return `documents/${encodeURIComponent(docId)}${part}${collectionQuery('?', collection)}`;
}

/** Of lists, which are of one collection. */
function parameters(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return new URLSearchParams(given).toString() + collectionQuery('&');
}
