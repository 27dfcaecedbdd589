/**
 * An object store that speaks S3: PUT, GET with Range and If-Match, DELETE and ListObjectsV2, and nothing else, so that R2, Ceph and
 * Swift will do. Each request is signed with the SHA-256 of its body and is tried again when that may help. Each silence is bounded, and what is
 * sent or answered with too slowly is given up. An object is one PUT of a known length, read from the disk as it is sent; there are no multipart uploads.
 */
import { createHash, randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { AwsClient } from 'aws4fetch';
import { AppError } from '../../errors.ts';
import { noRoom, troubleOf } from '../../trouble.ts';
import type { StoreOperation, StoreState } from '../engine.ts';
import type { ByteRange } from '../file-store.ts';
import type { ObjectPlace } from './files-url.ts';
import { type ObjectSource, type ObjectStore, StoreFault } from './object-store.ts';
import { StoreAnswer, StrangeAnswer, codeOf, textOf } from './s3-answer.ts';
import { type SilenceWatch, unlessSilent, watchSilence } from './silence.ts';
import { createFigureCounter } from './store-figures.ts';

export type S3Options = ObjectPlace & {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** '' for none. */
  readonly sessionToken: string;
  /** The pause before the second try, in milliseconds; four times as long before each further one. */
  readonly pauseMs?: number;
  /** How long the beginning of an answer is waited for, and the next bytes of what is sent or got. */
  readonly silenceMs?: number;
};

const triesMax = 4;
const pauseMsDefault = 200;
const pauseMsMax = 5000;
const silenceMsDefault = 15_000;
/** An upload that is slower than this is given up. */
const bytesPerSecondMin = 128 * 1024;
/** What systems and proxies on the way may hold of what was sent. */
const heldBytesMax = 8 * 1024 * 1024;
const probeMs = 3000;
/** How long the last answer says how the store is. */
const goodMs = 10_000;
const badMs = 500;
/** What a client is told, who knows nothing of where files lie. */
const filesAwaySentence = 'The file store cannot be used now.';
const emptySha256 = createHash('sha256').digest('hex');

type Asked = {
  readonly operation: StoreOperation;
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly source?: ObjectSource & { readonly sha256: string };
};

/** Does not connect yet. @throws Error when the package `aws4fetch` is not installed. */
export async function openS3(options: S3Options): Promise<ObjectStore> {
  const { bucketUrl, prefix, region, accessKeyId, secretAccessKey, sessionToken } = options;
  const { pauseMs = pauseMsDefault, silenceMs = silenceMsDefault } = options;
  const { AwsClient: Client } = await import('aws4fetch');
  const token = sessionToken === '' ? {} : { sessionToken };
  const client: AwsClient = new Client({ accessKeyId, secretAccessKey, ...token, region, service: 's3', retries: 0 });
  const urlOf = (key: string): string => bucketUrl + encodeURI(prefix + key);
  const counter = createFigureCounter();
  let known: StoreState = { state: 'ready' };
  let knownAt = -Infinity;
  let probing: Promise<void> | null = null;

  /** One request, until its answer begins; null for what is not there. A refusal is thrown, and so is an answer that no object store gives. */
  async function ask(asked: Asked, watch: SilenceWatch): Promise<Response | null> {
    const beganAt = performance.now();
    const count = (outcome: string): void => counter.asked(asked.operation, outcome, (performance.now() - beganAt) / 1000);
    try {
      const response = await send(asked, watch);
      if (response.ok && !isOfStore(response, asked))
        throw refusalIn(response, await textOf(response)) ?? new StrangeAnswer(response);
      const found = response.ok ? response : await absentOrThrow(response, asked);
      count(found === null ? 'absent' : 'ok');
      return found;
    } catch (error) {
      count(error instanceof StoreAnswer ? String(error.status) : isTimeout(error) ? 'silent' : 'broken');
      throw error;
    }
  }

  async function send({ method, url, headers, source }: Asked, watch: SilenceWatch): Promise<Response> {
    const signed = await client.sign(url, {
      method,
      headers: { ...headers, 'x-amz-content-sha256': source?.sha256 ?? emptySha256 },
    });
    const sent = new Headers(signed.headers);
    if (source !== undefined) sent.set('content-length', String(source.bytes));
    const body = source === undefined || source.bytes === 0 ? {} : { body: bodyOf(source, watch), duplex: 'half' as const };
    const response = await fetch(signed.url, { method, headers: sent, redirect: 'manual', signal: watch.signal, ...body });
    if (source !== undefined && response.ok) counter.sent(source.bytes);
    watch.heard(silenceMs);
    return response;
  }

  /** Told when each part of the body is taken; the answer comes once the store has all of it. */
  function bodyOf(source: ObjectSource, watch: SilenceWatch): ReadableStream<Uint8Array> {
    async function* parts(): AsyncGenerator<Uint8Array> {
      for await (const part of contentOf(source)) {
        watch.heard(silenceMs);
        yield part;
      }
      watch.heard(silenceMs + Math.floor((1000 * Math.min(source.bytes, heldBytesMax)) / bytesPerSecondMin));
    }
    return ReadableStream.from(parts());
  }

  /** One request and all of its answer, within a bounded time. */
  async function once(asked: Asked, boundMs: number): Promise<string> {
    const silence = watchSilence(Math.min(silenceMs, boundMs));
    const signal = AbortSignal.any([silence.signal, AbortSignal.timeout(boundMs)]);
    try {
      const response = await ask(asked, { ...silence, signal });
      if (response === null) return '';
      const text = await textOf(response);
      const refusal = refusalIn(response, text);
      if (refusal !== null) throw refusal;
      if (asked.operation === 'list' && !/<\/ListBucketResult>\s*$/.test(text)) throw new StrangeAnswer(response);
      return text;
    } finally {
      silence.stop();
    }
  }

  async function tried(asked: Asked): Promise<string> {
    const boundMs = Math.ceil(2 * silenceMs + ((asked.source?.bytes ?? 0) / bytesPerSecondMin) * 1000);
    const text = await again(() => once(asked, boundMs));
    note({ state: 'ready' });
    return text;
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
    else if (troubleOf(ours) === 'away') note({ state: 'unusable', reason: (ours.cause as Error).message });
    return ours;
  }

  function note(state: StoreState): void {
    known = state;
    knownAt = performance.now();
  }

  /** Whether it answers, and, where it had no room, whether it has by now. With GET, since an answer to HEAD does not say what is wrong. */
  async function probe(): Promise<void> {
    try {
      const url = urlOf('probe');
      const source = known.state === 'full' ? { source: await withDigest(probeObject) } : {};
      await once({ operation: 'probe', method: known.state === 'full' ? 'PUT' : 'GET', url, ...source }, probeMs);
      note({ state: 'ready' });
    } catch (error) {
      refused(error);
    }
  }

  /** Null for what is not there. The body may take longer than the answer: its silence is watched apart. */
  async function opened(key: string, range: ByteRange | null, etag: string | null): Promise<Response | null> {
    const headers = {
      // For a part fetch says so itself, once more if it was said, and the signature would be of something else.
      ...(range === null ? { 'accept-encoding': 'identity' } : { range: `bytes=${range.first}-${range.last}` }),
      ...(etag === null ? {} : { 'if-match': etag }),
    };
    const response = await again(async () => {
      const silence = watchSilence(silenceMs);
      try {
        return await ask({ operation: 'get', method: 'GET', url: urlOf(key), headers }, silence);
      } finally {
        silence.stop();
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
          counter.received(chunk.byteLength);
          if (at > length) throw new StoreFault(`the object store sent more than the ${length} bytes that it said`);
          failures = 0;
          yield chunk;
        }
        if (at < length) throw new StoreFault(`the object store sent ${at} of ${length} bytes`);
      } catch (error) {
        failures += 1;
        if (failures >= triesMax || at > length) throw refused(error);
        await pause(pauseOf(failures, error));
        const next = await opened(key, { first: from + at, last: from + length - 1 }, etag);
        if (next === null) throw filesAway(new StoreFault('the object is gone'));
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
      await tried({ operation: 'put', method: 'PUT', url: urlOf(key), source: await withDigest(source) });
    },
    async get(key, range) {
      const response = await opened(key, range, null);
      if (response === null) return null;
      const bytes = bytesOfWhole(response, range !== null);
      if (bytes === null || !response.headers.has('content-length')) {
        await response.body?.cancel();
        throw filesAway(new StoreFault('the object store does not say how long the object is'));
      }
      const stream = Readable.from(bytesOf(key, response, range), { objectMode: false });
      // Whoever leaves before the first byte has begun nothing that would let go of the connection.
      stream.once('close', () => void (response.body?.locked === false && response.body.cancel().catch(() => undefined)));
      return { stream, bytes };
    },
    async delete(key) {
      await tried({ operation: 'delete', method: 'DELETE', url: urlOf(key) });
    },
    async *list(listed) {
      for (let token: string | null = null; ;) {
        const query = new URLSearchParams({ 'list-type': '2', prefix: prefix + listed, 'max-keys': '1000' });
        if (token !== null) query.set('continuation-token', token);
        const url = `${bucketUrl}?${query.toString().replaceAll('+', '%20')}`;
        const text = await tried({ operation: 'list', method: 'GET', url });
        yield namesIn(text).map((key) => key.slice(prefix.length));
        if (!/<IsTruncated>true</.test(text)) return;
        const next = fromXml(/<NextContinuationToken>([^<]*)</.exec(text)?.[1] ?? '');
        if (next === '' || next === token) throw refused(new StoreFault('the object store does not say how its list goes on'));
        token = next;
      }
    },
    async state() {
      const lasts = known.state === 'ready' ? goodMs : badMs;
      if (performance.now() - knownAt > lasts) await (probing ??= probe().finally(() => (probing = null)));
      return known;
    },
    figures: () => counter.figures(),
  };
}

const probeObject: ObjectSource = { bytes: 1, content: new Uint8Array(1) };

/** A store names every version of an object that it takes or gives, and the place of a part. */
function isOfStore({ headers }: Response, { method, operation, headers: asked = {} }: Asked): boolean {
  const [, first] = /^bytes=(\d+)-/.exec(asked['range'] ?? '') ?? [];
  if (first !== undefined && !headers.get('content-range')?.startsWith(`bytes ${first}-`)) return false;
  return method === 'DELETE' || operation === 'list' || headers.has('etag');
}

/** Some stores begin to answer before they know how it ends. */
function refusalIn(response: Response, text: string): StoreAnswer | null {
  return /^\s*(?:<\?xml[^>]*>\s*)?<Error>/.test(text) ? new StoreAnswer(response, text) : null;
}

/** Null for an object, or a part of one, that is not there. @throws StoreAnswer, StrangeAnswer. */
async function absentOrThrow(response: Response, { method, operation }: Asked): Promise<null> {
  const text = await textOf(response);
  const canBeAbsent = method !== 'PUT' && operation !== 'list';
  const code = codeOf(text);
  if (canBeAbsent && response.status === 416) return null;
  if (canBeAbsent && response.status === 404 && code !== 'NoSuchBucket') {
    if (code === '') throw new StrangeAnswer(response);
    return null;
  }
  throw new StoreAnswer(response, text);
}

async function withDigest(source: ObjectSource): Promise<ObjectSource & { readonly sha256: string }> {
  return { ...source, sha256: await digestOf(source) };
}

async function digestOf(source: ObjectSource): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of contentOf(source)) hash.update(part);
  return hash.digest('hex');
}

async function* contentOf({ content }: ObjectSource): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* createReadStream(content.path) as AsyncIterable<Uint8Array>;
}

/** Null where the store does not say it, as one may behind a proxy that passes bodies on in chunks. */
function bytesOfWhole({ headers }: Response, isPart: boolean): number | null {
  const said = isPart ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : headers.get('content-length');
  return said == null ? null : Number(said);
}

function namesIn(answer: string): string[] {
  return [...answer.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => fromXml(key!));
}

function fromXml(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_all, name: string) => names[name]!);
}

function mayPass(error: unknown): boolean {
  return error instanceof StoreAnswer ? error.mayPass : isOfConnection(error);
}

/** The system's own failures about files of this machine are none. */
function isOfConnection(error: unknown): boolean {
  return error instanceof TypeError || isTimeout(error) || (error instanceof StoreFault && !(error instanceof StoreAnswer));
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

function inOurWords(error: unknown): Error {
  if (error instanceof StoreAnswer && error.isFull) return noRoom(error);
  if (error instanceof StoreFault) return filesAway(error);
  if (isOfConnection(error))
    return filesAway(new StoreFault(`the object store does not answer: ${whyOf(error as Error)}`, { cause: error }));
  return error as Error;
}

/** The sentence is the one that clients know; which store it is comes beside it. */
function filesAway(cause: StoreFault): AppError {
  return new AppError('unavailable', 'RAG service is not ready.', {
    cause,
    retryAfterSeconds: 5,
    extensions: { reason: filesAwaySentence },
  });
}

/** Of several addresses that were tried the first says it; some errors have a code and no words. */
function whyOf({ message, cause }: Error): string {
  const one = cause instanceof AggregateError && cause.errors[0] instanceof Error ? cause.errors[0] : cause;
  return one instanceof Error ? one.message || String((one as NodeJS.ErrnoException).code ?? one.name) : message;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
