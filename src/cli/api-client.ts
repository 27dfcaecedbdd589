/**
 * Talks to a server over HTTP as http-contract says. Patient: what a server asks to try again later (429, 503 with its
 * `Retry-After`), and a server that is just being restarted, is tried again until the patience is used up.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CliError, exitCodes } from './cli-error.ts';
import { signatureOf } from './file-list.ts';

export type ApiRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Each part of the path, not encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: { readonly type: string; readonly content: string };
  /** Streamed from the disk, anew for each try; broken off when it is not, at its end, the file of this signature (`file-list.ts`). */
  readonly file?: { readonly path: string; readonly bytes: number; readonly signature: string };
  readonly signal?: AbortSignal;
};

export type ApiReply = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly text: string };

export interface ApiClient {
  readonly url: string;
  /** The answer, whatever its status; `401` and `403` end the command. @throws CliError `unreachable` when the patience is used up. */
  send(request: ApiRequest): Promise<ApiReply>;
  /** The body of a 2xx. @throws CliError with the server's sentence otherwise. */
  json<T>(request: ApiRequest): Promise<T>;
  close(): void;
}

export type ApiClientOptions = {
  /** May have a path prefix; must not hold a key or password. */
  readonly url: string;
  readonly key: string | null;
  /** The collection that requests about documents and tasks are about; null or absent: the key's own. */
  readonly collection?: string | null;
  /** How long one request may be tried again. */
  readonly patienceMs: number;
  /** Told before each wait. */
  readonly onWait?: (reason: string, waitMs: number) => void;
};

/** Longer than the longest `?wait=`; a server or proxy that is silent for so long is gone. */
const silenceMs = 100_000;
const replyBytesMax = 256 * 1024 * 1024;
const waitMsMax = 60_000;
const transientErrors = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

export function createApiClient(options: ApiClientOptions): ApiClient {
  const base = baseUrl(options.url);
  const transport = base.protocol === 'https:' ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxSockets: 64 });

  async function send(request: ApiRequest): Promise<ApiReply> {
    const startedAt = performance.now();
    for (let tries = 1; ; tries += 1) {
      const outcome = await attempt(request).catch((error: unknown) => transientError(error, request.signal));
      const reason = typeof outcome === 'string' ? outcome : busyReason(outcome);
      if (reason === null) return refuseStrangers(outcome as ApiReply);
      if (performance.now() - startedAt >= options.patienceMs) {
        if (typeof outcome !== 'string' && !isAbsent(outcome)) return outcome;
        throw new CliError(`${base.href} does not answer: ${reason}`, exitCodes.unreachable);
      }
      const asked = typeof outcome === 'string' ? null : retryAfterMs(outcome);
      const leftMs = options.patienceMs - (performance.now() - startedAt);
      const waitMs = Math.max(50, Math.min(asked ?? 250 * 2 ** Math.min(tries, 5), waitMsMax, leftMs));
      options.onWait?.(reason, waitMs);
      await pause(waitMs, undefined, request.signal === undefined ? {} : { signal: request.signal });
    }
  }

  function attempt(given: ApiRequest): Promise<ApiReply> {
    const asked = inCollection(given, options.collection ?? null);
    const { method = 'GET', path, query = {}, headers = {}, file, signal } = asked;
    const target = new URL(base);
    target.pathname = `${base.pathname.replace(/\/$/, '')}/${path.map(segmentOf).join('/')}`;
    for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, String(value));
    const body = bodyOf(asked);
    const length = file?.bytes ?? (body === null ? null : Buffer.byteLength(body.content));
    return new Promise((resolve, reject) => {
      const request = transport.request(target, {
        method,
        agent,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          accept: 'application/json',
          ...(options.key === null ? {} : { authorization: `Bearer ${options.key}` }),
          ...(length === null ? {} : { 'content-length': length }),
          ...(body === null ? {} : { 'content-type': body.type }),
          ...headers,
        },
      });
      request.setTimeout(silenceMs, () => request.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
      // An answer may come before the whole file was sent (it is too large, the queue is full): then the rest does not matter,
      // nor does how the connection ends.
      let answered = false;
      const failed = (error: Error): void => {
        if (!answered) reject(error);
      };
      request.on('error', failed);
      request.once('response', (response) => {
        answered = true;
        readReply(response)
          .then(resolve, reject)
          .finally(() => request.writableEnded || request.destroy());
      });
      if (file === undefined) request.end(body?.content);
      else pipeline(exactly(file), request).catch(failed);
    });
  }

  return {
    url: base.href.replace(/\/$/, ''),
    send,
    async json<T>(request: ApiRequest): Promise<T> {
      const reply = await send(request);
      if (reply.status < 200 || reply.status >= 300) throw new CliError(sentenceOf(reply));
      return JSON.parse(reply.text) as T;
    },
    close: () => agent.destroy(),
  };
}

/** What the server says went wrong: the `detail` of its problem document, and its `reason` where it gives one. */
export function sentenceOf(reply: ApiReply): string {
  const { detail, reason } = problemOf(reply) ?? {};
  if (typeof detail !== 'string') return `The server answered ${reply.status}.`;
  return typeof reason === 'string' ? `${detail} ${reason}` : detail;
}

export function problemOf({ text }: ApiReply): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function bodyOf({ json, body }: ApiRequest): NonNullable<ApiRequest['body']> | null {
  if (json !== undefined) return { type: 'application/json', content: JSON.stringify(json) };
  return body ?? null;
}

/** A request with the collection in the place where its route takes it. */
function inCollection(request: ApiRequest, collection: string | null): ApiRequest {
  if (collection === null) return request;
  const [top = ''] = request.path;
  if (['documents', 'documents:batch', 'tasks', 'insert', 'events'].includes(top))
    return { ...request, query: { ...request.query, collection } };
  if (top !== 'search') return request;
  const json = request.json as { readonly collections?: unknown };
  if (json.collections === undefined) return { ...request, json: { ...json, collection } };
  return request;
}

/** With its colons as they are (RFC 3986, 3.3): `documents:batch` is no doc_id. */
function segmentOf(part: string): string {
  return encodeURIComponent(part).replaceAll('%3A', ':');
}

function baseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new CliError(`This is not the URL of a server: ${text}. Write it as http://127.0.0.1:8000.`, exitCodes.usage);
  if (url.username !== '' || url.password !== '' || url.search !== '')
    throw new CliError('The URL must not contain a key or password; use --key or RAG_INTAKE_KEY.', exitCodes.usage);
  return url;
}

/**
 * As many bytes as were announced, or an error: a file may change while it is sent. The last piece is held back until the file has been
 * looked at again, so that the server never gets the whole of what was half old and half new.
 */
async function* exactly({ path, bytes, signature }: NonNullable<ApiRequest['file']>): AsyncGenerator<Buffer> {
  let sent = 0;
  let last: Buffer | null = null;
  if (bytes > 0) {
    for await (const piece of createReadStream(path, { end: bytes - 1 })) {
      if (last !== null) yield last;
      last = piece as Buffer;
      sent += last.length;
    }
  }
  if (sent !== bytes || signatureOf(await stat(path, { bigint: true })) !== signature) throw new FileChanged();
  if (last !== null) yield last;
}

/** The file became another while it was sent: nothing of it was taken. */
export class FileChanged extends Error {
  constructor() {
    super('The file changed while it was being sent.');
    this.name = 'FileChanged';
  }
}

async function readReply(response: http.IncomingMessage): Promise<ApiReply> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    bytes += (piece as Buffer).length;
    if (bytes > replyBytesMax) throw new Error('the response is too large');
    pieces.push(piece as Buffer);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(pieces).toString('utf8') };
}

/** Why to try again, in words; anything else goes on being thrown. */
function transientError(error: unknown, signal: AbortSignal | undefined): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (signal?.aborted === true || !transientErrors.includes(code ?? '')) throw error;
  return code === 'ECONNREFUSED' ? 'nothing listens there' : message || String(code);
}

function busyReason(reply: ApiReply): string | null {
  if (![429, 502, 503, 504].includes(reply.status)) return null;
  return problemOf(reply) === null ? `a proxy answered ${reply.status}` : sentenceOf(reply);
}

/** A proxy that finds nobody behind it, or a server that cannot work: that is no answer to what was asked. */
function isAbsent(reply: ApiReply): boolean {
  const problem = problemOf(reply);
  return problem === null ? [502, 503, 504].includes(reply.status) : problem['code'] === 'unavailable';
}

function retryAfterMs({ headers }: ApiReply): number | null {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

function refuseStrangers(reply: ApiReply): ApiReply {
  const where = reply.status === 401 ? ' This command takes the key from RAG_INTAKE_KEY or --key.' : '';
  if (reply.status === 401 || reply.status === 403) throw new CliError(`${sentenceOf(reply)}${where}`, exitCodes.refused);
  return reply;
}
