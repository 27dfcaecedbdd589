/** A real HTTP server on a free port over services in memory, for the tests of src/http. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { createFileEndedSessions } from '../../src/storage/file/shared/ended-sessions.ts';
import { createFileIdempotencyStore } from '../../src/storage/file/shared/idempotency-store.ts';
import { createHttpServer, type HttpServer } from '../../src/http/http-server.ts';
import { defaultHttpLimits, type HttpLimits, type HttpSettings } from '../../src/http/http-settings.ts';
import type { Route } from '../../src/http/routes/route.ts';
import type { Services } from '../../src/http/services.ts';
import type { Logger } from '../../src/logger.ts';
import { watchedLogger } from './leaks.ts';
import { createMemoryServices, type MemoryServices, type MemoryServicesOptions } from './memory-services.ts';

export type LogLine = { readonly level: string; readonly sentence: string; readonly fields: Record<string, unknown> };

export type TestServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly server: HttpServer;
  readonly memory: MemoryServices;
  readonly folder: string;
  readonly log: LogLine[];
  /** Files that uploads have left on disk. */
  files(): Promise<readonly string[]>;
};

export type TestServerOptions = {
  readonly settings?: Partial<Omit<HttpSettings, 'limits'>>;
  readonly limits?: Partial<HttpLimits>;
  readonly memory?: Omit<MemoryServicesOptions, 'folder'>;
  readonly services?: (services: Services) => Services | null;
  readonly extraRoutes?: readonly Route[];
  readonly now?: () => string;
};

export const testSettings: HttpSettings = {
  version: '1.2.3',
  fileBytesMax: 100 * 1024 * 1024,
  syncBytesMax: 10 * 1024 * 1024,
  syncWaitMs: 30_000,
  taskRetentionMs: 24 * 3600 * 1000,
  basePath: '',
  apiKeys: [],
  keyFile: null,
  users: [],
  loginHeader: '',
  oidc: null,
  sessionSecret: Buffer.alloc(32, 7),
  allowedHosts: null,
  corsOrigins: [],
  trustedProxies: [],
  requestsPerSecond: 0,
  formats: ['pdf', 'txt'],
  answers: false,
  pageDir: null,
  limits: defaultHttpLimits,
};

export async function startHttpServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-http-'));
  const uploads = join(folder, 'uploads');
  const settings = { ...testSettings, ...options.settings, limits: { ...defaultHttpLimits, lingerMs: 300, ...options.limits } };
  const memory = createMemoryServices({ folder: uploads, syncBytesMax: settings.syncBytesMax, ...options.memory });
  const log: LogLine[] = [];
  const now = options.now ?? (() => new Date().toISOString());
  const nowMs = (): number => Date.parse(now());
  const server = createHttpServer({
    services: () => (options.services === undefined ? memory.services : options.services(memory.services)),
    settings,
    idempotencyStore: createFileIdempotencyStore(join(folder, 'idempotency'), (thenMs) => nowMs() - thenMs),
    endedSessions: createFileEndedSessions(join(folder, 'ended-sessions'), nowMs),
    extraRoutes: options.extraRoutes ?? [],
    logger: collectingLogger(log),
    now,
    newId: v7,
  });
  const { url, port } = await server.listen('127.0.0.1', 0);
  return {
    url,
    port,
    server,
    memory,
    folder,
    log,
    files: () => readdir(uploads).catch(() => []),
    async [Symbol.asyncDispose]() {
      await server.close(100);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Keeps what is logged, exactly as it would be written; what would be written shows no secret. */
export function collectingLogger(lines: LogLine[]): Logger {
  const watched = watchedLogger();
  const write =
    (level: LogLevel) =>
    (fields: object, sentence: string): void => {
      watched[level](fields, sentence);
      lines.push({ level, sentence, fields: fields as Record<string, unknown> });
    };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return logger;
}

/** A form with one file, as browsers send it. */
export function fileForm(
  content: string | Uint8Array<ArrayBuffer>,
  filename = 'notes.txt',
  fields: Record<string, string> = {},
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([content], { type: 'text/plain' }), filename);
  return form;
}

export async function insert(
  server: { url: string },
  docId: string,
  form: FormData,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}/insert?doc_id=${encodeURIComponent(docId)}`, { method: 'POST', body: form, headers });
}

/** An answer's JSON, as what the test expects it to be. */
export async function json<T = Record<string, string>>(answer: Response | Promise<Response>): Promise<T> {
  return (await (await answer).json()) as T;
}

/** Tries until `probe` gives something other than null or false; fails after the deadline. */
export async function eventually<T>(probe: () => T | Promise<T>, what: string, deadlineMs = 15_000): Promise<NonNullable<T>> {
  const startedAt = performance.now();
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found as NonNullable<T>;
    if (performance.now() - startedAt > deadlineMs) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A connection for requests that no client library would send. */
export async function rawConnection(
  port: number,
  localAddress = '127.0.0.1',
): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  let text = '';
  socket.on('data', (bytes) => (text += bytes.toString('latin1')));
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return { socket, received: () => text, closed };
}

/** Sends exactly these bytes and gives back everything that comes until the server closes the connection. */
export async function rawRequest(port: number, bytes: string | Buffer): Promise<string> {
  const { socket, received, closed } = await rawConnection(port);
  socket.write(bytes);
  await closed;
  return received();
}
