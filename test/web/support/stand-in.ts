/**
 * A stand-in for the server, with as much in it as a test wants and none of it on a disk: it serves the built page, lists of any
 * length and an event stream that the test writes. It can freeze, refuse and answer late.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { toDescribed } from '../../../src/http/wire/given.ts';
import { undescribed as nothingSaid } from '../../../src/tasks/given.ts';
import type { WireDocument, WireHit, WireTask } from '../../../src/web/wire.ts';

/** Of the description of a document, which is nothing. */
const undescribed = toDescribed(nothingSaid);

const built = fileURLToPath(new URL('../../../dist/web/', import.meta.url));

export type StandIn = {
  readonly url: string;
  /** What was asked, `METHOD /path?query`, oldest first. */
  readonly asked: string[];
  tasks: readonly WireTask[];
  documents: readonly WireDocument[];
  /** What every search finds, of the documents that it names, beginning at `offset`. */
  hits: readonly WireHit[];
  /** Takes a request over: true when it has answered, or never will. */
  instead: ((req: IncomingMessage, res: ServerResponse, path: string) => boolean | Promise<boolean>) | null;
  collections: readonly object[];
  /** As `/status` has it. */
  store: string;
  /** Who asks, as `/config` has it. */
  config: object;
  /** Breaks off every connection, as a process that ends. */
  hangUp(): void;
  /** Sends a task to every event stream. */
  send(task: WireTask): void;
  close(): Promise<void>;
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export async function startStandIn(): Promise<StandIn> {
  const streams = new Set<ServerResponse>();
  let eventId = 0;
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()));
  const standIn: StandIn = {
    url: await listen(server),
    asked: [],
    tasks: [],
    documents: [],
    hits: [],
    instead: null,
    collections: [],
    store: 'ready',
    config: {
      version: '1.0.0',
      file_bytes_max: 1e8,
      sync_bytes_max: 1e7,
      auth: 'none',
      oidc: false,
      key: null,
      formats: ['pdf', 'txt', 'md'],
      answers: false,
    },
    send(task) {
      eventId += 1;
      for (const stream of streams) stream.write(`id: 1-${eventId}\nevent: task\ndata: ${JSON.stringify(task)}\n\n`);
    },
    hangUp: () => server.closeAllConnections(),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return standIn;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://stand.in');
    const path = url.pathname;
    standIn.asked.push(`${req.method} ${req.url}`);
    if (standIn.instead !== null && (await standIn.instead(req, res, path))) return;
    if (path === '/events') return stream(res);
    if (path === '/config') return json(res, standIn.config);
    if (path === '/status') return json(res, statusOf(standIn));
    if (path === '/collections') return json(res, { collections: standIn.collections });
    if (path === '/tasks') return json(res, page('tasks', ofStatus(standIn.tasks, url), url));
    if (path === '/documents') return documents(req, res, url);
    if (path === '/search') return json(res, await searched(req, standIn.hits));
    if (path.startsWith('/documents/') && req.method === 'GET') {
      const id = decodeURIComponent(path.split('/')[2] ?? '');
      const document = standIn.documents.find((each) => each.doc_id === id);
      if (document === undefined) return json(res, { detail: 'No such document.', code: 'not_found' }, 404);
      if (path.endsWith('/content'))
        return void res.writeHead(200, { 'content-type': 'text/markdown' }).end('# Some text\n\nand more of it.');
      return json(res, document);
    }
    await file(res, path === '/' ? 'index.html' : path.slice(1));
  }

  /** Found by name, sorted, and deleted by their ids, as far as the page asks for it. */
  function documents(req: IncomingMessage, res: ServerResponse, url: URL): void {
    const { value: ids = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { value?: string[] };
    if (req.method === 'DELETE') {
      standIn.documents = standIn.documents.filter((each) => !ids.includes(each.doc_id));
      return json(res, { message: '', deleted: ids.length, more: false });
    }
    const q = url.searchParams.get('q') ?? '';
    const found = standIn.documents.filter((each) => each.filename.includes(q) && (ids.length === 0 || ids.includes(each.doc_id)));
    const sorted =
      url.searchParams.get('sort') === 'filename' ? found.toSorted((a, b) => a.filename.localeCompare(b.filename)) : found;
    json(res, page('documents', sorted, url));
  }

  function stream(res: ServerResponse): void {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('retry: 2000\n\n');
    streams.add(res);
    res.on('close', () => streams.delete(res));
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(res: ServerResponse, value: object, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function file(res: ServerResponse, path: string): Promise<void> {
  const bytes = await readFile(join(built, path)).catch(() => null);
  if (bytes === null) return json(res, { detail: 'There is nothing at this address.', code: 'not_found' }, 404);
  res.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(bytes);
}

function page(name: string, all: readonly object[], url: URL): object {
  const start = Number(url.searchParams.get('cursor') ?? 0);
  const end = start + Number(url.searchParams.get('limit') ?? 50);
  return { [name]: all.slice(start, end), next_cursor: end < all.length ? String(end) : null };
}

function ofStatus(tasks: readonly WireTask[], url: URL): readonly WireTask[] {
  const status = url.searchParams.get('status');
  const q = url.searchParams.get('q') ?? '';
  const found = tasks.filter((task) => (status === null || task.status === status) && task.filename.includes(q));
  return url.searchParams.get('sort') === 'filename' ? found.toSorted((a, b) => (a.filename < b.filename ? -1 : 1)) : found;
}

async function searched(req: IncomingMessage, hits: readonly WireHit[]): Promise<object> {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  const asked = JSON.parse(Buffer.concat(pieces).toString()) as {
    query: string;
    top_k: number;
    offset?: number;
    doc_ids?: readonly string[];
  };
  const found = hits.filter(({ citation }) => asked.doc_ids?.includes(citation.doc_id) ?? true);
  const start = asked.offset ?? 0;
  return {
    query: asked.query,
    mode: 'hybrid',
    took_ms: 3,
    total: found.length,
    notice: null,
    hits: found.slice(start, start + asked.top_k),
  };
}

function statusOf({ tasks, documents, store }: Pick<StandIn, 'tasks' | 'documents' | 'store'>): object {
  const of = (status: string): number => tasks.filter((task) => task.status === status).length;
  return {
    pending: of('pending'),
    processing: of('processing'),
    threads: 4,
    worker_up: true,
    documents: documents.length,
    chunks: documents.length,
    index_bytes: 1000,
    disk_free_bytes: 1e9,
    disk_total_bytes: 2e9,
    documents_damaged: 0,
    documents_mended: 0,
    store,
    searcher: null,
    history: [],
  };
}

/** Task number `index`; greater numbers are newer. */
export function aTask(index: number, fields: Partial<WireTask> = {}): WireTask {
  const at = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
  return {
    task_id: `0190-${String(index).padStart(9, '0')}`,
    doc_id: `doc-${index}`,
    collection: 'default',
    filename: `report ${index}.pdf`,
    file_size: 1000 + index,
    status: 'completed',
    created_at: at,
    updated_at: at,
    result: null,
    error: null,
    stage: 'done',
    progress: { percent: 100, pages_done: null, pages_total: null, chunks_done: null, chunks_total: null },
    queue_position: null,
    attempts: 1,
    max_attempts: 3,
    error_code: null,
    retryable: null,
    started_at: at,
    finished_at: at,
    expires_at: null,
    sha256: 'a'.repeat(64),
    media_type: 'application/pdf',
    ...undescribed,
    links: { self: '', events: '', document: null },
    ...fields,
  } as WireTask;
}

export function aDocument(index: number, fields: Partial<WireDocument> = {}): WireDocument {
  return {
    doc_id: `doc-${String(index).padStart(6, '0')}`,
    collection: 'default',
    task_id: `0190-${index}`,
    filename: `document ${index}.txt`,
    media_type: 'text/plain',
    file_size: 1000,
    sha256: 'a'.repeat(64),
    title: null,
    author: null,
    language: null,
    pages: null,
    chunks: 1,
    characters: 30,
    ...undescribed,
    inserted_at: '2026-01-01T12:00:00.000Z',
    embedder: 'none',
    warnings: [],
    links: { self: '', content: '', file: '' },
    ...fields,
  } as WireDocument;
}

/** A passage of document `docId`, the `index`th in it. */
export function aHit(docId: string, index: number, text = `Passage ${index} of ${docId}.`): WireHit {
  return {
    score: 1,
    relevance: 1,
    text,
    highlights: [[0, 7]],
    across_languages: false,
    citation: {
      doc_id: docId,
      collection: 'default',
      filename: `${docId}.txt`,
      title: null,
      page: null,
      page_end: null,
      section: [],
      ...undescribed,
      chunk_id: `${docId}-${index}`,
      char_start: index * 100,
      char_end: index * 100 + text.length,
      url: '',
    },
  } as WireHit;
}
