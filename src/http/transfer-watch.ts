/**
 * Ends uploads that crawl or have lost their client. A limit on the whole request would cut off slow but honest clients with large files, so the rule
 * is a minimum rate: in each window enough bytes must arrive, unless it is we who hold the client back.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.ts';

export type TransferLimits = {
  /** Length of the window in milliseconds; also the longest time without a byte. */
  readonly transferWindowMs: number;
  /** Bytes that must arrive within each window. */
  readonly transferBytesMin: number;
};

export interface TransferWatch {
  /**
   * Rejects when the client is too slow (AppError `request_timeout`) or has gone (`bad_request`, which nobody will read).
   * Never resolves.
   */
  readonly failed: Promise<never>;
  stop(): void;
}

/**
 * Watches a request from now on, also one whose client has gone already: a body parser that subscribes later never hears of
 * that. Cost: one timer.
 */
export function watchTransfer(request: IncomingMessage, { transferWindowMs, transferBytesMin }: TransferLimits): TransferWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  let seenBytes = request.socket.bytesRead;
  const timer = setInterval(() => {
    const bytes = request.socket.bytesRead - seenBytes;
    seenBytes = request.socket.bytesRead;
    const heldBackByUs = request.readableLength > 0;
    if (bytes < transferBytesMin && !heldBackByUs && !request.complete) fail('request_timeout', 'The upload came in too slowly.');
  }, transferWindowMs);
  request.once('close', gone);
  if (request.destroyed) gone();
  return { failed: promise, stop };

  function gone(): void {
    if (!request.complete) fail('bad_request', 'The upload was broken off.');
  }

  function fail(code: 'request_timeout' | 'bad_request', sentence: string): void {
    stop();
    reject(new AppError(code, sentence));
  }

  function stop(): void {
    clearInterval(timer);
    request.off('close', gone);
  }
}
