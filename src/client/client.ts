/**
 * A client for programs in TypeScript and JavaScript: `import { createClient } from 'rag-intake/client'`. Needs `fetch` and nothing else,
 * so it runs in Node, Deno, Bun and browsers. The types are the server's own schemas.
 */
import type { describedFields } from '../http/wire/given.ts';
import type {
  BatchLine,
  batchAnswer,
  documentDeleted,
  documentPage,
  DocumentRecord,
  searchBody,
  SearchReply,
  taskPage,
  TaskRecord,
} from '../http/wire/schemas.ts';

type Out<S extends { readonly _output: unknown }> = S['_output'];
type In<S extends { readonly _input: unknown }> = S['_input'];

export type Task = TaskRecord;
export type Document = DocumentRecord;
export type SearchAnswer = SearchReply;
export type Hit = SearchReply['hits'][number];
export type SearchOptions = Omit<In<typeof searchBody>, 'query' | 'collection'>;
export type BatchDocument = BatchLine;
export type BatchAnswer = Out<typeof batchAnswer>;
export type Metadata = NonNullable<Document['metadata']>;

export type ClientOptions = {
  /** Of the server, with its path prefix; `http://127.0.0.1:8000` where nothing is said. */
  readonly url?: string;
  /** An API key. */
  readonly key?: string;
  /** The collection that everything is about; else the key's own. */
  readonly collection?: string;
  /** Seconds that 429 and 503 are tried again, as `Retry-After` says; 60 where nothing is said. */
  readonly patienceSeconds?: number;
  /** Another `fetch`. */
  readonly fetch?: typeof fetch;
};

/** What is left out of what is said of a document stays as it is, null takes it away. */
export type InsertOptions = Pick<BatchLine, keyof typeof describedFields> & {
  readonly filename?: string;
  /** False: returns when the document is stored, and not only when it has been read. */
  readonly wait?: boolean;
  readonly signal?: AbortSignal;
};

/** What the server refused, in its own words. */
export class RagIntakeError extends Error {
  readonly status: number;
  /** Stable: `not_found`, `quota_exceeded`, … */
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, problem: { readonly code?: unknown; readonly detail?: unknown; readonly request_id?: unknown }) {
    super(typeof problem.detail === 'string' ? problem.detail : `The server answered ${status}.`);
    this.name = 'RagIntakeError';
    this.status = status;
    this.code = typeof problem.code === 'string' ? problem.code : 'unknown';
    this.requestId = typeof problem.request_id === 'string' ? problem.request_id : null;
  }
}

/** Every method throws RagIntakeError for what the server refuses, and what `fetch` throws for what never reached it. */
export interface Client {
  /**
   * Stores a document under a name of yours, in place of the one before, and waits until it has been read. The same call again is safe.
   * The task that comes back may have failed: its `error` says why.
   */
  insert(docId: string, content: string | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>, options?: InsertOptions): Promise<Task>;
  /** Many small ones in one request; an answer for each, in their order, as they become durable. */
  insertMany(documents: Iterable<BatchDocument>, signal?: AbortSignal): AsyncGenerator<BatchAnswer>;
  search(query: string, options?: SearchOptions, signal?: AbortSignal): Promise<SearchAnswer>;
  task(taskId: string): Promise<Task>;
  /** Until it is `completed` or `failed`. */
  waitFor(taskId: string, signal?: AbortSignal): Promise<Task>;
  cancel(taskId: string, options?: { readonly force?: boolean }): Promise<void>;
  retry(taskId: string): Promise<Task>;
  tasks(options?: {
    readonly status?: Task['status'];
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<Out<typeof taskPage>>;
  documents(options?: {
    readonly q?: string;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<Out<typeof documentPage>>;
  document(docId: string): Promise<Document>;
  /** The text as Markdown. */
  content(docId: string): Promise<string>;
  remove(docId: string): Promise<Out<typeof documentDeleted>>;
}

type Ask = {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly signal?: AbortSignal | undefined;
};

const pollSeconds = 30;
const retryMsMin = 250;

export function createClient(options: ClientOptions = {}): Client {
  const base = (options.url ?? 'http://127.0.0.1:8000').replace(/\/+$/, '');
  const call = options.fetch ?? fetch;
  const patienceMs = (options.patienceSeconds ?? 60) * 1000;

  async function ask(path: string, { method = 'GET', query = {}, headers = {}, body, signal }: Ask = {}): Promise<Response> {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = new URLSearchParams(given).toString();
    const url = `${base}${path}${search === '' ? '' : `?${search}`}`;
    const authorization = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` };
    for (const startedAt = performance.now(); ;) {
      const answer = await call(url, {
        method,
        headers: { ...authorization, ...headers },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.ok) return answer;
      const problem = (await answer.json().catch(() => ({}))) as object;
      const waitMs = Math.max(retryMsMin, Number(answer.headers.get('retry-after') ?? '1') * 1000);
      const passes = answer.status === 429 || answer.status === 503;
      if (!passes || !(performance.now() - startedAt + waitMs <= patienceMs)) throw new RagIntakeError(answer.status, problem);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      signal?.throwIfAborted();
    }
  }

  async function json<T>(path: string, request: Ask = {}): Promise<T> {
    return (await (await ask(path, request)).json()) as T;
  }

  const { collection } = options;
  const documentPath = (docId: string): string => `/documents/${encodeURIComponent(docId)}`;
  const taskPath = (taskId: string): string => `/task/${encodeURIComponent(taskId)}`;

  /** Text as it is, all else as JSON. */
  const parametersOf = (said: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(said)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );

  const client: Client = {
    async insert(docId, content, { filename, wait = true, signal, ...description } = {}) {
      const name =
        filename ?? (typeof content === 'string' && !/\.\w{1,8}$/.test(docId) ? `${docId.split('/').at(-1)}.txt` : undefined);
      const answer = await ask(documentPath(docId), {
        method: 'PUT',
        query: { collection, filename: name, ...parametersOf(description) },
        headers: { 'content-type': 'application/octet-stream', ...(wait ? {} : { prefer: 'respond-async' }) },
        body: content,
        signal,
      });
      const task = (await answer.json()) as Task;
      return wait && answer.status === 202 ? client.waitFor(task.task_id, signal) : task;
    },
    async *insertMany(documents, signal) {
      const lines = Array.from(documents, (document) => JSON.stringify(document));
      const headers = { 'content-type': 'application/x-ndjson' };
      const answer = await ask('/documents:batch', {
        method: 'POST',
        query: { collection },
        headers,
        body: lines.join('\n'),
        signal,
      });
      let rest = '';
      const text = new TextDecoder();
      const reader = answer.body!.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        const pieces = (rest + (value === undefined ? text.decode() : text.decode(value, { stream: true }))).split('\n');
        rest = pieces.pop() ?? '';
        for (const piece of pieces) if (piece !== '') yield JSON.parse(piece) as BatchAnswer;
        if (done) break;
      }
    },
    search: (query, { ...how } = {}, signal) =>
      json('/search', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query,
          ...(collection === undefined || how.collections !== undefined ? {} : { collection }),
          ...how,
        }),
        signal,
      }),
    task: (taskId) => json(taskPath(taskId)),
    async waitFor(taskId, signal) {
      for (;;) {
        const task = await json<Task>(taskPath(taskId), { query: { wait: pollSeconds }, signal });
        if (task.status === 'completed' || task.status === 'failed') return task;
      }
    },
    async cancel(taskId, { force } = {}) {
      await ask(taskPath(taskId), { method: 'DELETE', query: { force } });
    },
    retry: (taskId) => json(`${taskPath(taskId)}/retry`, { method: 'POST' }),
    tasks: (page = {}) => json('/tasks', { query: { collection, ...page } }),
    documents: (page = {}) => json('/documents', { query: { collection, ...page } }),
    document: (docId) => json(documentPath(docId), { query: { collection } }),
    content: async (docId) => (await ask(`${documentPath(docId)}/content`, { query: { collection } })).text(),
    remove: (docId) => json(documentPath(docId), { method: 'DELETE', query: { collection } }),
  };
  return client;
}
