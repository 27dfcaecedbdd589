/**
 * How long the body of a request may take. Any body has one time to be there, whole; a file, which may be large and its client honest
 * but slow, has a minimum rate instead: in each window enough bytes must arrive, unless it is we who hold the client back.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../errors.ts';

export type BodyLimits = {
  /** Time for a whole body, in milliseconds. */
  readonly bodyMs: number;
  /** Length of the window for a file in milliseconds; also the longest time without a byte. */
  readonly transferWindowMs: number;
  /** Bytes of a file that must arrive within each window. */
  readonly transferBytesMin: number;
};

export interface BodyWatch {
  /**
   * Rejects when the client is too slow (AppError `request_timeout`), sends no proper HTTP or has gone (`bad_request`, which the
   * latter will not read). Never resolves.
   */
  readonly failed: Promise<never>;
  /** Whether the connection may be ended for a new one while the body is on its way. */
  readonly givesWay: boolean;
  /** From now on the body is judged by its rate: a file. One that has a place among the uploads (`slots.ts`) keeps it. */
  byRate(options: { givesWay: boolean }): void;
  /** From now on what is left of it has the time of any body. */
  byTime(): void;
  /** Gives the body up. Safe twice. */
  fail(code: 'request_timeout' | 'bad_request', sentence: string): void;
}

const watches = new WeakMap<IncomingMessage, BodyWatch>();

/** The watch over a request's body, begun when it is first asked for. Cost: one timer until the body is there. */
export function watchOf(request: IncomingMessage, limits: BodyLimits): BodyWatch {
  const known = watches.get(request);
  if (known !== undefined) return known;
  const watch = watchBody(request, limits);
  watches.set(request, watch);
  return watch;
}

/** Whether a body is on its way on a connection that may be ended for a new one. */
export function givesWay(request: IncomingMessage): boolean {
  return !request.complete && watches.get(request)?.givesWay === true;
}

/** Gives up a body that is not all there; false when nobody waits for one. */
export function failBody(request: IncomingMessage, code: 'request_timeout' | 'bad_request', sentence: string): boolean {
  const watch = watches.get(request);
  if (watch === undefined || request.complete) return false;
  watch.fail(code, sentence);
  return true;
}

/** Whether a request announces a body that has not come in. */
export function hasUnreadBody({ headers, complete }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

/**
 * Reads what is left of a body and drops it. True when all of it came, false when it is longer than `bytesMax`.
 * @throws AppError as `BodyWatch.failed`.
 */
export async function dropBody(request: IncomingMessage, watch: BodyWatch, bytesMax: number): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return false;
  const { promise: short, resolve } = Promise.withResolvers<boolean>();
  let bytes = 0;
  const count = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes > bytesMax) resolve(false);
  };
  const end = (): void => resolve(true);
  request.on('data', count).once('end', end);
  if (request.readableEnded) end();
  request.resume();
  try {
    return await Promise.race([short, watch.failed]);
  } finally {
    request.off('data', count).off('end', end);
  }
}

function watchBody(request: IncomingMessage, limits: BodyLimits): BodyWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  // What came while this process was busy is read between a timer and the setImmediate after it.
  let timer: NodeJS.Timeout | undefined;
  let mayGiveWay = true;
  request.once('end', stop).once('close', gone);
  if (request.destroyed) gone();
  else byTime();
  return {
    failed: promise,
    get givesWay() {
      return mayGiveWay;
    },
    byRate,
    byTime,
    fail,
  };

  function byTime(): void {
    stop();
    mayGiveWay = true;
    if (request.complete) return;
    timer = setTimeout(() => setImmediate(() => failIfLate('The request arrived too slowly.')), limits.bodyMs);
  }

  function byRate(options: { givesWay: boolean }): void {
    stop();
    mayGiveWay = options.givesWay;
    if (request.complete) return;
    let seenBytes = request.socket.bytesRead;
    timer = setInterval(() => setImmediate(judge), limits.transferWindowMs);

    function judge(): void {
      const bytes = request.socket.bytesRead - seenBytes;
      seenBytes = request.socket.bytesRead;
      const heldBackByUs = request.readableLength > 0;
      if (bytes < limits.transferBytesMin && !heldBackByUs) failIfLate('The upload arrived too slowly.');
    }
  }

  function failIfLate(sentence: string): void {
    if (!request.complete) fail('request_timeout', sentence);
  }

  function gone(): void {
    if (!request.complete) fail('bad_request', 'The request was interrupted.');
  }

  function fail(code: 'request_timeout' | 'bad_request', sentence: string): void {
    stop();
    mayGiveWay = false;
    reject(new AppError(code, sentence));
  }

  function stop(): void {
    clearInterval(timer);
  }
}
