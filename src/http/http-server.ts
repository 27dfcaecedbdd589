/** The HTTP front end: Koa on a Node server with its limits, started and stopped in order. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Context } from 'koa';
import { AppError, type RequestErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createBriefLog } from './brief-log.ts';
import { trustProxies } from './access/client-address.ts';
import { sentences, watchConnections, type Refusal } from './connections.ts';
import { createHttpApp } from './http-app.ts';
import type { HttpLimits, HttpSettings } from './http-settings.ts';
import { createIdempotency } from './wire/idempotency.ts';
import type { IdempotencyStore } from '../storage/idempotency-store.ts';
import { type AuditLog, noAudit } from './live/audit-log.ts';
import { createHttpMetrics } from './live/metrics.ts';
import { toProblem } from './wire/problem.ts';
import type { Quotas } from './access/quotas.ts';
import { createRateLimiter } from './access/rate-limit.ts';
import type { Route } from './routes/route.ts';
import { createRoutes } from './routes/routes.ts';
import { securityHeaders } from './access/security-headers.ts';
import type { Services } from './services.ts';
import type { EndedSessions } from '../storage/ended-sessions.ts';
import { createSlots } from './access/slots.ts';
import { createTaskFeed } from './live/task-feed.ts';
import { createThroughput } from './live/throughput.ts';

export type HttpServerOptions = {
  /** Null while the service is starting: everything that needs it then answers 503. */
  readonly services: () => Services | null;
  readonly settings: HttpSettings;
  readonly idempotencyStore: IdempotencyStore;
  readonly endedSessions: EndedSessions;
  /** Routes of other parts of the product (webhooks, MCP). */
  readonly extraRoutes?: readonly Route[];
  /** Absent: none is kept. */
  readonly audit?: AuditLog;
  /** Absent: keys may use as much as they like. */
  readonly quotas?: Quotas | null;
  readonly logger: Logger;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => string;
};

export interface HttpServer {
  /** Port 0 takes a free one. */
  listen(host: string, port: number): Promise<{ url: string; port: number }>;
  /**
   * Stops listening, answers everybody who waits with what there is, ends event streams, and gives running requests
   * `timeoutMs` before their connections are cut. Safe twice, and before `listen`.
   */
  close(timeoutMs: number): Promise<void>;
}

/** Nothing is forgotten at a start: a clock that is wrong then is often put right in minutes. */
const sweepMs = 3600 * 1000;
/** How often the queue is looked at for the history of the last hour. */
const sampleMs = 10_000;
/** How often Node looks for connections whose headers are late. */
const connectionsCheckMs = 2000;
const connectionsEndingMax = 1024;
const recentTasksRead = 1000;

export function createHttpServer({
  services,
  settings,
  idempotencyStore,
  endedSessions,
  extraRoutes = [],
  audit = noAudit,
  quotas = null,
  logger,
  now,
  newId,
}: HttpServerOptions): HttpServer {
  const { limits } = settings;
  const stopping = new AbortController();
  const feed = createTaskFeed(newId());
  const throughput = createThroughput();
  const uploadSlots = createSlots({ perClientMax: limits.uploadsPerClientMax, max: limits.uploadsMax });
  const waitSlots = createSlots({ perClientMax: limits.waitsPerClientMax, max: limits.waitsMax });
  const streamSlots = createSlots({ perClientMax: limits.eventStreamsPerClientMax, max: limits.eventStreamsMax });
  const metrics = createHttpMetrics({ eventStreams: () => streamSlots.size, uploads: () => uploadSlots.size });
  const idempotency = createIdempotency(idempotencyStore);
  const awaitingContinue = new WeakSet<IncomingMessage>();

  const routes = createRoutes({
    settings,
    wire: { basePath: settings.basePath, taskRetentionMs: settings.taskRetentionMs },
    uploadSlots,
    waitSlots,
    streamSlots,
    idempotency,
    // No client's key can be of this kind: its first line would be the name of an API key.
    holdDocument: (docId) => idempotencyStore.hold(`\ndocument\n${docId}`),
    metrics,
    feed,
    throughput,
    extraRoutes,
    endedSessions,
    logger,
    now,
    newId,
    acceptBody,
  });
  const brief = createBriefLog(logger);
  const app = createHttpApp({
    audit,
    brief,
    settings,
    routes,
    services: followedServices,
    quotas,
    rateLimiter: settings.requestsPerSecond === 0 ? null : createRateLimiter(settings.requestsPerSecond, () => performance.now()),
    proxyTrust: trustProxies(settings.trustedProxies),
    endedSessions,
    metrics,
    logger,
    now,
    newId,
    stopping: stopping.signal,
    acceptBody,
    awaitsContinue: ({ req }) => awaitingContinue.has(req),
  });
  const answer = app.callback();
  const server = createNodeServer(limits, (request, response) => void answer(request, response), awaitingContinue);
  watchConnections(server, { ...limits, refuse: (socket, reason) => refuse(socket, reason, newId()) });
  const sweeper = setInterval(() => void sweep(), sweepMs).unref();
  const sampler = setInterval(() => void sampleQueue(), sampleMs).unref();

  return { listen, close };

  async function listen(host: string, port: number): Promise<{ url: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    followedServices();
    const bound = (server.address() as AddressInfo).port;
    return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound };
  }

  async function close(timeoutMs: number): Promise<void> {
    clearInterval(sweeper);
    clearInterval(sampler);
    stopping.abort();
    feed.stop();
    metrics.close();
    brief.close();
    if (!server.listening) return;
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    clearTimeout(cut);
  }

  /** The services, followed from the first moment they are there. */
  function followedServices(): Services | null {
    const current = services();
    if (current !== null && !stopping.signal.aborted) follow(current);
    return current;
  }

  function follow({ tasks }: Services): void {
    if (!feed.start(tasks)) return;
    feed.follow(null, ({ snapshot }) => {
      throughput.note(snapshot.task);
      metrics.task(snapshot, Date.parse(now()));
    });
    // What ended before this process began.
    void tasks.list({ limit: recentTasksRead }).then(
      (page) => page.tasks.forEach(({ task }) => throughput.note(task)),
      (error: unknown) => logger.warn({ err: error }, 'recent tasks could not be counted'),
    );
  }

  async function sweep(): Promise<void> {
    await Promise.all([idempotency.sweep(), endedSessions.sweep()]).catch((error: unknown) =>
      logger.warn({ err: error }, 'kept replies and ended sessions could not be cleaned up'),
    );
  }

  async function sampleQueue(): Promise<void> {
    const figures = await services()
      ?.status(null)
      .catch(() => null);
    if (figures) throughput.sample(figures, Date.parse(now()));
  }

  function acceptBody({ req, res }: Context): void {
    if (awaitingContinue.delete(req)) res.writeContinue();
  }
}

function createNodeServer(
  limits: HttpLimits,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  awaitingContinue: WeakSet<IncomingMessage>,
): Server {
  const server = createServer({
    // Late bodies are judged by their rate or by a time of their own (`body-watch.ts`).
    requestTimeout: 0,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: connectionsCheckMs,
    maxHeaderSize: 16 * 1024,
    noDelay: true,
    // Node's own answer to that is no problem document.
    requireHostHeader: false,
  });
  // A header left out could be the one that says how long the body is; their size is bounded above.
  server.maxHeadersCount = 0;
  // A client that has ended its side still reads.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Those that were ended for others may take a moment to go.
  server.maxConnections = limits.connectionsMax + connectionsEndingMax;
  server.maxRequestsPerSocket = 0;
  server.on('request', answer);
  // Without this Node would ask for the body of an upload before anybody has looked at its headers.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    awaitingContinue.add(request);
    answer(request, response);
  });
  server.on('checkExpectation', answer);
  server.on('connection', (socket) => socket.setKeepAlive(true, 30_000));
  return server;
}

const refusalCodes: Readonly<Record<Refusal, RequestErrorCode>> = {
  malformed: 'bad_request',
  unknown_method: 'unknown_method',
  headers_too_large: 'headers_too_large',
  too_slow: 'request_timeout',
  tunnel: 'method_not_allowed',
};

/** Answers what no request object exists for: what is not HTTP, or comes too late, or has too much in its headers. */
function refuse(socket: Duplex, reason: Refusal, requestId: string): void {
  const problem = toProblem(new AppError(refusalCodes[reason], sentences[reason]), { path: '', requestId });
  const body = JSON.stringify(problem);
  const headers = {
    ...securityHeaders({ secure: false }),
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    Connection: 'close',
    ...(reason === 'tunnel' ? { Allow: '' } : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`);
}
