/**
 * The Koa application: what happens to every request around its route. In order: request id, headers, errors to problem
 * documents, one log line; the prefix; who may ask at all (Host, Origin); who asks (key, cookie); how often; then the routes.
 */
import type { IncomingMessage } from 'node:http';
import { Stream } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import Koa, { type Context, type Middleware } from 'koa';
import { Router } from '@koa/router';
import { AppError, hasErrno } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { callerOf, identify, requireScope, stranger, type Principal } from './access/access.ts';
import { dropBody, hasUnreadBody, watchOf } from './upload/body-watch.ts';
import type { BriefLog } from './brief-log.ts';
import { refusePreconditions } from './wire/conditional.ts';
import { clientAddress, isSecure, type ProxyTrust } from './access/client-address.ts';
import { checkHost, checkOrigin, corsHeaders } from './access/origin-guard.ts';
import { refuseUnhonoured, refuseUnknownFraming } from './wire/honoured.ts';
import { keysNow, type HttpSettings } from './http-settings.ts';
import { readBody, readParams, readQuery } from './wire/input.ts';
import { readJsonBody } from './wire/json-body.ts';
import { loggable } from './log-text.ts';
import type { AuditActor, AuditLog } from './live/audit-log.ts';
import type { HttpMetrics } from './live/metrics.ts';
import { inLanguageOf } from './wire/chinese.ts';
import { asAppError, toProblem } from './wire/problem.ts';
import type { Quotas } from './access/quotas.ts';
import type { RateLimiter } from './access/rate-limit.ts';
import { compressJson } from './wire/compressed-json.ts';
import { requestTarget } from './wire/request-target.ts';
import type { Call, RequestState, Route } from './routes/route.ts';
import { securityHeaders } from './access/security-headers.ts';
import { hasGone } from '../search/turns.ts';
import type { Services } from './services.ts';
import type { EndedSessions } from '../storage/ended-sessions.ts';

export type HttpAppOptions = {
  readonly settings: HttpSettings;
  readonly routes: readonly Route[];
  /** Null while the service is starting. */
  readonly services: () => Services | null;
  readonly rateLimiter: RateLimiter | null;
  readonly quotas: Quotas | null;
  readonly proxyTrust: ProxyTrust;
  readonly endedSessions: EndedSessions;
  readonly metrics: HttpMetrics;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** For what strangers can cause at will. */
  readonly brief: BriefLog;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => string;
  /** Aborts when the server is stopping. */
  readonly stopping: AbortSignal;
  /** Tells a client that waits with `Expect: 100-continue` to send its body. */
  readonly acceptBody: (ctx: Context) => void;
  /** Whether it still waits to be told so. */
  readonly awaitsContinue: (ctx: Context) => boolean;
};

export function createHttpApp(options: HttpAppOptions): Koa {
  const app = new Koa();
  // Errors of requests are all caught below; what is left are answers that broke off on the way, mostly since the reader went away.
  app.on('error', (error: unknown, ctx?: Context) => {
    const level = hasErrno(error, ...readerGone) ? 'debug' : 'error';
    options.logger[level]({ requestId: (ctx?.state as RequestState | undefined)?.requestId, err: error }, 'response interrupted');
  });
  app.use(answerEveryRequest(options));
  app.use(exactAddress(options.settings.basePath));
  app.use(guard(options));
  app.use(router(options));
  app.use(unmatched);
  return app;
}

/** Request id, security headers, errors as problems, one log line, one metric: for every request, whatever comes of it. */
function answerEveryRequest(options: HttpAppOptions): Middleware {
  const { logger, metrics, newId, settings } = options;
  return async (ctx, next) => {
    const startedAt = performance.now();
    const path = ctx.path || '/';
    const state: RequestState = {
      requestId: requestId(ctx) ?? newId(),
      principal: stranger,
      address: clientAddress(ctx.req, options.proxyTrust),
      secure: isSecure(ctx.req, options.proxyTrust),
      operation: null,
    };
    Object.assign(ctx.state, state);
    ctx.set(securityHeaders({ secure: state.secure }));
    ctx.set('X-Request-Id', state.requestId);
    ctx.set('Cache-Control', 'no-store');
    if (options.stopping.aborted) ctx.set('Connection', 'close');
    if (hasUnreadBody(ctx.req) && !options.awaitsContinue(ctx)) watchOf(ctx.req, settings.limits);
    try {
      await next();
      // A time that has not come yet (a clock was ahead) says nothing (RFC 9110 §8.8.2.1); the ETag does.
      if (Date.parse(ctx.response.get('Last-Modified')) > Date.parse(options.now())) ctx.remove('Last-Modified');
      writeJson(ctx);
      await compressJson(ctx);
    } catch (error) {
      answerProblem(ctx, await onceBodyIsIn(ctx, error), path);
    }
    if (options.awaitsContinue(ctx)) ctx.set('Connection', 'close');
    else if (bodyIsUnread(ctx)) sendThenLinger(ctx, settings.limits.lingerMs);
    const { operation, principal, address } = ctx.state as RequestState;
    metrics.request(operation ?? 'none', ctx.method, ctx.status, (performance.now() - startedAt) / 1000);
    logger.debug(
      {
        requestId: state.requestId,
        method: ctx.method,
        path: loggable(path),
        status: ctx.status,
        durationMs: Math.round(performance.now() - startedAt),
        keyId: principal.keyId,
        address,
      },
      'request answered',
    );
  };

  /**
   * A request is answered when all of it is there, also by a problem: many clients read nothing before they have sent everything, and one
   * that never does gets 408. Only a body that is too long for that, or not asked for yet, is not waited for.
   */
  async function onceBodyIsIn(ctx: Context, error: unknown): Promise<unknown> {
    const known = asAppError(error);
    const isOfBody = known.code === 'request_timeout' || known.code === 'body_too_large';
    if (isOfBody || ctx.headerSent || options.awaitsContinue(ctx) || !hasUnreadBody(ctx.req)) return error;
    const watch = watchOf(ctx.req, settings.limits);
    return dropBody(ctx.req, watch, settings.limits.jsonBytesMax).then(
      () => error,
      (late: unknown) => late,
    );
  }

  function answerProblem(ctx: Context, error: unknown, path: string): void {
    const known = asAppError(error);
    const { requestId, principal, operation } = ctx.state as RequestState;
    const problem = inLanguageOf(ctx, toProblem(known, { path: loggable(path), requestId }));
    if (operation === 'login' && problem.code === 'unauthorized')
      options.audit.write(actorOf(ctx.state as RequestState), { event: 'login', refused: true });
    if (problem.code === 'unauthorized' && (principal.by === 'wrong' || operation === 'login'))
      options.brief.write('warn', whoAndWhat(ctx), 'a wrong API key was sent');
    if (problem.status >= 500 && known.cause !== undefined) {
      // A cause in words is a state that a probe asked about, not something that happened.
      const { cause } = known;
      if (!(cause instanceof Error)) logger.debug({ requestId, err: cause, code: problem.code }, 'request failed');
      else if (problem.code === 'internal')
        options.brief.write('error', { requestId, err: cause, code: problem.code }, 'request failed');
      // Where the program was says nothing about a store that refuses.
      else
        options.brief.write(
          'error',
          { requestId, reason: cause.message, code: problem.code },
          'request refused: the storage is not available',
        );
    }
    if (ctx.headerSent) return;
    // What was to be sent is not.
    for (const name of bodyHeaders) ctx.remove(name);
    ctx.set('Cache-Control', 'no-store');
    if (problem.code === 'unauthorized') ctx.set('WWW-Authenticate', 'Bearer realm="rag-intake"');
    const retryAfter = known.retryAfterSeconds ?? (problem.status === 503 ? 5 : undefined);
    if (retryAfter !== undefined) ctx.set('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
    const other = (ctx.state as RequestState).problemAs?.(problem, ctx.req);
    ctx.status = other?.status ?? problem.status;
    ctx.body = JSON.stringify(other?.body ?? problem);
    ctx.set('Content-Type', other === undefined ? 'application/problem+json' : 'application/json; charset=utf-8');
  }
}

/** They tell of a body; a route may have set them before it found that it cannot send it. */
const bodyHeaders = ['ETag', 'Last-Modified', 'Content-Disposition', 'Content-Encoding', 'Content-Length'];

const readerGone = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE', 'ECANCELED', 'ETIMEDOUT'];

/** Koa would do it after everything here, where an error ends as a bare 500 that no log tells of. */
function writeJson(ctx: Context): void {
  const body = ctx.body as unknown;
  if (typeof body !== 'object' || body === null || body instanceof Stream || Buffer.isBuffer(body)) return;
  ctx.body = JSON.stringify(body);
}

/** A client's own id is taken when it is short and plain; anything else could be made to look like log text. */
function requestId(ctx: Context): string | null {
  const given = ctx.get('X-Request-Id');
  return /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : null;
}

/** More is still to come than Node should swallow unnoticed. */
function bodyIsUnread({ req, respond }: Context): boolean {
  return !req.complete && respond !== false && hasUnreadBody(req);
}

/**
 * Sends the whole answer at once but ends it late, swallowing what still comes in. Closing at once would reset the connection
 * under a client that is still sending, and the answer would be lost with it.
 */
function sendThenLinger(ctx: Context, lingerMs: number): void {
  const { req, res } = ctx;
  ctx.set('Connection', 'close');
  if (ctx.body instanceof Stream || ctx.body === null || ctx.body === undefined) return;
  const body = ctx.body as string | Buffer;
  ctx.respond = false;
  ctx.set('Content-Length', String(Buffer.byteLength(body)));
  res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, lingerMs);
  req.once('end', end).once('close', end).on('error', end);
  req.resume();
}

/** The address as it came. The prefix may come in or may have been taken off by the proxy already; links always carry it. */
function exactAddress(basePath: string): Middleware {
  return async (ctx, next) => {
    ctx.url = requestTarget(ctx.req);
    if (basePath !== '' && (ctx.path === basePath || ctx.path.startsWith(`${basePath}/`)))
      ctx.path = ctx.path.slice(basePath.length) || '/';
    await next();
  };
}

function guard({ settings, proxyTrust, endedSessions, rateLimiter, quotas }: HttpAppOptions): Middleware {
  const whoAsks = asksWho({ settings, proxyTrust, endedSessions });
  return async (ctx, next) => {
    checkExpectation(ctx.get('Expect'));
    checkHost(ctx.req, settings.allowedHosts);
    refuseUnknownFraming(ctx.req);
    ctx.set(corsHeaders(ctx.req, settings.corsOrigins));
    const principal = await whoAsks(ctx.req);
    const state = ctx.state as RequestState;
    state.principal = principal;
    checkOrigin(ctx.req, {
      allowed: settings.corsOrigins,
      proxyTrust,
      byItself: principal.by === 'cookie' || principal.by === 'proxy',
    });
    rateLimiter?.check(ctx, callerOf(principal, state.address));
    quotas?.request(principal.keyId);
    await next();
  };
}

type WhoAsks = (request: IncomingMessage) => Promise<Principal>;

/** Who makes a request, by the keys and sessions of this moment. */
function asksWho({
  settings,
  proxyTrust,
  endedSessions,
}: Pick<HttpAppOptions, 'settings' | 'proxyTrust' | 'endedSessions'>): WhoAsks {
  const { sessionSecret, users, limits } = settings;
  const loginHeader = settings.loginHeader === '' ? null : { name: settings.loginHeader, proxyTrust };
  const rest = { sessionSecret, endedSessions, sessionMs: limits.sessionMs, users, loginHeader };
  return (request) => identify(request, { keys: keysNow(settings), ...rest });
}

/** How soon a request that lasts hears that its key or session is no longer good. */
const permissionLookMs = 1000;

/** Who it is and what that one may do, however it was shown. */
function reachOf({ keyId, scope, collections }: Principal): object {
  return { keyId, scope, collections };
}

/** Aborts when whoever asked might not ask again: the key was revoked or is bound otherwise now, the session has ended, or a first key was made. */
function permissionEnded({ req, res }: Context, before: Principal, whoAsks: WhoAsks): AbortSignal {
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    const now = await whoAsks(req);
    if (!isDeepStrictEqual(reachOf(now), reachOf(before)))
      ended.abort(new AppError('unauthorized', 'The API key of this request is no longer valid.'));
  };
  // A look that fails says nothing; the next one may.
  const timer = setInterval(() => void look().catch(() => undefined), permissionLookMs).unref();
  res.once('close', () => clearInterval(timer));
  return ended.signal;
}

function checkExpectation(expected: string): void {
  if (expected !== '' && expected.toLowerCase() !== '100-continue')
    throw new AppError('expectation_failed', 'Expect: only 100-continue is supported.');
}

function router(options: HttpAppOptions): Middleware {
  // One address for each thing: a proxy's rule for /metrics must hold for all that is answered as /metrics.
  const routes = new Router({ sensitive: true, strict: true });
  for (const route of options.routes) {
    const path = route.path.replaceAll(':', '\\:').replaceAll(/\{(\w+)\}/g, ':$1');
    routes.register(path, [route.method], async (ctx) => {
      await runRoute(ctx as unknown as Context, route, options, ctx.params);
    });
  }
  return routes.routes() as unknown as Middleware;
}

async function runRoute(ctx: Context, route: Route, options: HttpAppOptions, rawParams: Record<string, string>): Promise<void> {
  const state = ctx.state as RequestState;
  state.operation = route.operation;
  state.problemAs = route.problemAs;
  requireScope(state.principal, route.scope);
  const services = options.services();
  if (services === null && route.needsServices !== false) throw new AppError('unavailable', 'RAG service is not ready.');
  refuseUnhonoured(ctx.req, route);
  if (route.hasVersions !== true) refusePreconditions(ctx, route.method === 'GET');
  if (route.body === undefined) refuseBody(ctx);
  const params = readParams(route.params, ctx.path, rawParams);
  const query = route.anyQuery === true ? {} : readQuery(route.query, ctx.querystring);
  const body = route.body?.kind === 'json' ? readBody(route.body.schema, await readJson(ctx, options)) : undefined;
  const left = clientLeft(ctx, options.settings.limits.halfClosedMs);
  const call: Call<unknown, unknown, unknown> = {
    ctx,
    params,
    query,
    body,
    // Routes that run without services are those that do not ask for them.
    services: services as Services,
    principal: state.principal,
    requestId: state.requestId,
    audit: (event) => options.audit.write(actorOf(state), event),
    signal: AbortSignal.any([left, options.stopping, permissionEnded(ctx, state.principal, asksWho(options))]),
    asker: { client: callerOf(state.principal, state.address), gone: left, isLeaving: () => ctx.req.socket.readableEnded },
  };
  if (route.body !== undefined && route.asksForBody !== true) options.acceptBody(ctx);
  await route.handle(call);
  if (route.logged !== undefined) options.logger.info(whoAndWhat(ctx), route.logged);
}

/** Made once: every request ends with it, and an error of its own for each would cost more than many an answer. */
const gone = hasGone();

/** Koa, Node's pipeline and we come to eleven on a streamed answer; Node warns of more than ten as of a leak. */
const listenersMax = 20;

/** Aborts when nobody reads the answer any more, or when the client has ended its side and the answer is not there soon. */
function clientLeft({ req, res }: Context, halfClosedMs: number): AbortSignal {
  const left = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const halfClosed = (): void => void (timer = setTimeout(() => left.abort(gone), halfClosedMs));
  const { socket } = req;
  res.setMaxListeners(listenersMax);
  if (socket.readableEnded) halfClosed();
  else socket.once('end', halfClosed);
  res.once('close', () => {
    clearTimeout(timer);
    socket.off('end', halfClosed);
    left.abort(gone);
  });
  return left.signal;
}

function actorOf({ principal, address, requestId }: RequestState): AuditActor {
  return { key: principal.keyId, address, requestId };
}

/** Of a request, as the log shows it. */
function whoAndWhat(ctx: Context): object {
  const { requestId, principal, address } = ctx.state as RequestState;
  return { requestId, path: loggable(ctx.path), keyId: principal.keyId, address };
}

/** What nobody would read must not be sent: its sender means something by it. */
function refuseBody({ req, method, path }: Context): void {
  const isThere = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  if (isThere) throw new AppError('invalid_request', `${method} ${path} takes no body; put parameters into the address.`);
}

function readJson(ctx: Context, { settings: { limits }, acceptBody }: HttpAppOptions): Promise<unknown> {
  const { failed } = watchOf(ctx.req, limits);
  return readJsonBody(ctx, { bytesMax: limits.jsonBytesMax, accept: () => acceptBody(ctx), failed });
}

/** 404 for an unknown path; for a known one OPTIONS says what it takes, and anything else is a 405 that says so too. */
const unmatched: Middleware = (ctx) => {
  const matched = (ctx as unknown as { matched?: { methods: string[] }[] }).matched ?? [];
  const methods = new Set(matched.flatMap((layer) => layer.methods));
  if (methods.size === 0) throw new AppError('not_found', 'There is nothing at this address.');
  ctx.set('Allow', [...methods, 'OPTIONS'].toSorted().join(', '));
  if (ctx.method !== 'OPTIONS') {
    const taken = [...methods]
      .filter((method) => method !== 'HEAD')
      .toSorted()
      .join(' or ');
    throw new AppError('method_not_allowed', `${ctx.method} is not supported here; use ${taken}.`);
  }
  ctx.status = 204;
};
