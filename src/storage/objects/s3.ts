/**
 * An object store that speaks S3: PUT, GET with Range and If-Match, HEAD, DELETE and ListObjectsV2, and nothing else, so that R2, Ceph
 * and Swift will do. Each request is signed with the SHA-256 of its body, waits a bounded time, and is tried again when that may help.
 */
import { createHash, randomInt } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { Readable } from 'node:stream';
import type { AwsClient } from 'aws4fetch';
import { noRoom, notReady, troubleOf } from '../../trouble.ts';
import type { StoreState } from '../engine.ts';
import type { ByteRange } from '../file-store.ts';
import type { ObjectPlace } from './files-url.ts';
import type { ObjectSource, ObjectStore } from './object-store.ts';

export type S3Options = ObjectPlace & {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** '' for none. */
  readonly sessionToken: string;
  /** The pause before the second try, in milliseconds; four times as long before each further one. */
  readonly pauseMs?: number;
  /** How long an answer to a small request, or the next bytes of a large one, are waited for. */
  readonly silenceMs?: number;
};

const triesMax = 4;
const pauseMsDefault = 200;
const pauseMsMax = 5000;
const silenceMsDefault = 15_000;
/** An upload that is slower than this is given up. */
const bytesPerSecondMin = 128 * 1024;
const probeMs = 3000;
/** How long the last answer says how the store is. */
const goodMs = 10_000;
const badMs = 500;
/** Answers after which the same may succeed at once. */
const passing = new Set([408, 429, 500, 502, 503, 504]);
/** Codes of answers after which the same may succeed: what arrived was not what was sent. */
const garbled = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody', 'RequestTimeout']);
const emptySha256 = createHash('sha256').digest('hex');

type Sent = { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly source?: ObjectSource };

/** What the store answered that was not hoped for: status and code, never what it says of keys. */
class StoreAnswer extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number;

  constructor(response: Response, code: string) {
    super(`the object store answered ${response.status}${code === '' ? '' : ` ${code}`}`);
    this.status = response.status;
    this.code = code;
    this.retryAfterMs = 1000 * (Number(response.headers.get('retry-after')) || 0);
  }
}

/** Does not connect yet. @throws Error when the package `aws4fetch` is not installed. */
export async function openS3(options: S3Options): Promise<ObjectStore> {
  const { bucketUrl, prefix, region, accessKeyId, secretAccessKey, sessionToken } = options;
  const { pauseMs = pauseMsDefault, silenceMs = silenceMsDefault } = options;
  const { AwsClient: Client } = await import('aws4fetch');
  const token = sessionToken === '' ? {} : { sessionToken };
  const client: AwsClient = new Client({ accessKeyId, secretAccessKey, ...token, region, service: 's3', retries: 0 });
  const urlOf = (key: string): string => bucketUrl + encodeURI(prefix + key);
  let known: StoreState = { state: 'ready' };
  let knownAt = -Infinity;
  let probing: Promise<void> | null = null;

  /** One request, one answer; anything but success is thrown, but for the statuses in `also`. */
  async function once(url: string, sent: Sent, also: readonly number[], boundMs: number): Promise<Response> {
    const { method, source } = sent;
    const headers = { ...sent.headers, 'x-amz-content-sha256': source === undefined ? emptySha256 : await digestOf(source) };
    const signed = await client.sign(url, { method, headers });
    const response = await fetch(signed.url, {
      method,
      headers: signed.headers,
      redirect: 'error',
      signal: AbortSignal.timeout(boundMs),
      ...(source === undefined ? {} : { body: await bodyOf(source) }),
    });
    if (response.ok || also.includes(response.status)) return response;
    throw new StoreAnswer(response, codeOf(await response.text()));
  }

  async function tried(url: string, sent: Sent, also: readonly number[] = []): Promise<Response> {
    const boundMs = Math.ceil(silenceMs + ((sent.source?.bytes ?? 0) / bytesPerSecondMin) * 1000);
    const response = await again(() => once(url, sent, also, boundMs));
    note({ state: 'ready' });
    return response;
  }

  async function again<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries < triesMax && mayPass(error)) await pause(pauseOf(tries, error));
        else throw refused(error);
      }
    }
  }

  function pauseOf(tries: number, error: unknown): number {
    const asked = error instanceof StoreAnswer ? error.retryAfterMs : 0;
    const usual = pauseMs * 4 ** (tries - 1) * (randomInt(500, 1500) / 1000);
    return Math.min(pauseMsMax, Math.max(asked, usual));
  }

  function refused(error: unknown): Error {
    const ours = inOurWords(error);
    if (troubleOf(ours) === 'full') note({ state: 'full', reason: 'the object store has no space left' });
    else if (troubleOf(ours) === 'away') note({ state: 'unusable', reason: reasonOf(error) });
    return ours;
  }

  function note(state: StoreState): void {
    known = state;
    knownAt = performance.now();
  }

  /** Whether it answers, and, where it had no room, whether it has by now. */
  async function probe(): Promise<void> {
    try {
      const key = 'probe';
      if (known.state === 'full')
        await once(urlOf(key), { method: 'PUT', source: { bytes: 1, content: new Uint8Array(1) } }, [], probeMs);
      await once(urlOf(key), { method: 'HEAD' }, [404], probeMs);
      note({ state: 'ready' });
    } catch (error) {
      refused(error);
    }
  }

  async function rangeOf(key: string, range: ByteRange | null, etag: string | null): Promise<Response | null> {
    const headers = {
      // For a part fetch says so itself, once more if it was said, and the signature would be of something else.
      ...(range === null ? { 'accept-encoding': 'identity' } : { range: `bytes=${range.first}-${range.last}` }),
      ...(etag === null ? {} : { 'if-match': etag }),
    };
    const answer = await openedOf(urlOf(key), headers);
    if (answer.status !== 404) return answer;
    await answer.body?.cancel();
    return null;
  }

  /** The body may take longer than the answer: its silence is watched apart. */
  async function openedOf(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const method = 'GET';
    const response = await again(async () => {
      const signed = await client.sign(url, { method, headers: { ...headers, 'x-amz-content-sha256': emptySha256 } });
      const waiting = new AbortController();
      const timer = setTimeout(() => waiting.abort(new DOMException('no answer in time', 'TimeoutError')), silenceMs);
      try {
        const opened = await fetch(signed.url, { method, headers: signed.headers, redirect: 'error', signal: waiting.signal });
        if (opened.ok && (headers['range'] === undefined || opened.status === 206)) return opened;
        const text = await opened.text();
        const code = codeOf(text);
        const isGone = (opened.status === 404 && code !== 'NoSuchBucket') || opened.status === 416;
        if (isGone) return new Response(null, { status: 404 });
        throw new StoreAnswer(opened, code);
      } finally {
        clearTimeout(timer);
      }
    });
    note({ state: 'ready' });
    return response;
  }

  /** Goes on where a connection broke, as long as that helps. */
  async function* bytesOf(key: string, first: Response, range: ByteRange | null): AsyncGenerator<Uint8Array> {
    const etag = first.headers.get('etag');
    const length = Number(first.headers.get('content-length'));
    const from = range?.first ?? 0;
    let at = 0;
    let response = first;
    for (let failures = 0; at < length;) {
      try {
        for await (const chunk of withinSilence(response)) {
          at += chunk.byteLength;
          if (at > length) throw new Error(`the object store sent more than the ${length} bytes that it said`);
          failures = 0;
          yield chunk;
        }
        if (at < length) throw new Error(`the object store sent ${at} of ${length} bytes`);
      } catch (error) {
        failures += 1;
        if (failures >= triesMax || at > length) throw inOurWordsOrNotReady(refused(error));
        await pause(pauseOf(failures, error));
        const next = await rangeOf(key, { first: from + at, last: from + length - 1 }, etag);
        if (next === null) throw notReady(new Error('the object is gone'));
        response = next;
      }
    }
  }

  async function* withinSilence({ body }: Response): AsyncGenerator<Uint8Array> {
    const reader = body!.getReader();
    try {
      for (;;) {
        const { done, value } = await unlessSilent(reader.read(), silenceMs);
        if (done) return;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  return {
    async put(key, source) {
      await (await tried(urlOf(key), { method: 'PUT', source })).body?.cancel();
    },
    async get(key, range) {
      const response = await rangeOf(key, range, null);
      if (response === null) return null;
      const bytes = bytesOfWhole(response, range !== null);
      if (bytes === null || !response.headers.has('content-length')) {
        await response.body?.cancel();
        throw notReady(new Error('the object store does not say how long the object is'));
      }
      return { stream: Readable.from(bytesOf(key, response, range), { objectMode: false }), bytes };
    },
    async delete(key) {
      await (await tried(urlOf(key), { method: 'DELETE' }, [404])).body?.cancel();
    },
    async *list(listed) {
      for (let token: string | null = null; ;) {
        const query = new URLSearchParams({ 'list-type': '2', prefix: prefix + listed, 'max-keys': '1000' });
        if (token !== null) query.set('continuation-token', token);
        const answer = await (await tried(`${bucketUrl}?${query.toString().replaceAll('+', '%20')}`, { method: 'GET' })).text();
        yield namesIn(answer).map((key) => key.slice(prefix.length));
        token = /<NextContinuationToken>([^<]*)</.exec(answer)?.[1] ?? null;
        if (token === null || !/<IsTruncated>true</.test(answer)) return;
        token = fromXml(token);
      }
    },
    async state() {
      const lasts = known.state === 'ready' ? goodMs : badMs;
      if (performance.now() - knownAt > lasts) await (probing ??= probe().finally(() => (probing = null)));
      return known;
    },
  };
}

/** Null where the store does not say it, as one may behind a proxy that passes bodies on in chunks. */
function bytesOfWhole({ headers }: Response, isPart: boolean): number | null {
  const said = isPart ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : headers.get('content-length');
  return said == null ? null : Number(said);
}

async function digestOf({ content }: ObjectSource): Promise<string> {
  const hash = createHash('sha256');
  if (content instanceof Uint8Array) return hash.update(content).digest('hex');
  for await (const chunk of createReadStream(content.path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** With a length that is known before, and read from the disk as it is sent. */
async function bodyOf({ content }: ObjectSource): Promise<Blob> {
  return content instanceof Uint8Array ? new Blob([content as Uint8Array<ArrayBuffer>]) : openAsBlob(content.path);
}

function codeOf(answer: string): string {
  return /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(answer)?.[1] ?? '';
}

function namesIn(answer: string): string[] {
  return [...answer.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => fromXml(key!));
}

function fromXml(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_all, name: string) => names[name]!);
}

function mayPass(error: unknown): boolean {
  if (error instanceof StoreAnswer) return passing.has(error.status) || garbled.has(error.code);
  return isOfConnection(error);
}

/** The system's own failures about files of this machine are none. */
function isOfConnection(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
}

function inOurWords(error: unknown): Error {
  if (error instanceof StoreAnswer)
    return error.status === 507 || /Quota|StorageFull|NoSpace/.test(error.code) ? noRoom(error) : notReady(error);
  if (isOfConnection(error)) return notReady((error as Error).cause ?? error);
  return error as Error;
}

/** Of what broke midway: too few bytes, too many, or a connection. */
function inOurWordsOrNotReady(error: Error): Error {
  return troubleOf(error) === null ? notReady(error) : error;
}

function reasonOf(error: unknown): string {
  if (error instanceof StoreAnswer) return error.message;
  const { message, cause } = error as Error;
  return `the object store does not answer: ${cause instanceof Error ? cause.message || cause.name : message}`;
}

async function unlessSilent<T>(coming: Promise<T>, ms: number): Promise<T> {
  const silent = Promise.withResolvers<never>();
  const timer = setTimeout(() => silent.reject(new DOMException('the object store stopped responding', 'TimeoutError')), ms);
  try {
    return await Promise.race([coming, silent.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
