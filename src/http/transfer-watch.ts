/**
 * Ends uploads that crawl. A limit on the whole request would cut off slow but honest clients with large files, so the rule
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
  /** Rejects with AppError `request_timeout` when the client is too slow. Never resolves. */
  readonly failed: Promise<never>;
  stop(): void;
}

/** Watches the request's connection from now on. Cost: one timer. */
export function watchTransfer(request: IncomingMessage, { transferWindowMs, transferBytesMin }: TransferLimits): TransferWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  let seenBytes = request.socket.bytesRead;
  const timer = setInterval(() => {
    const bytes = request.socket.bytesRead - seenBytes;
    seenBytes = request.socket.bytesRead;
    if (bytes >= transferBytesMin || request.isPaused() || request.complete) return;
    stop();
    reject(new AppError('request_timeout', 'The upload came in too slowly.'));
  }, transferWindowMs);
  return { failed: promise, stop };

  function stop(): void {
    clearInterval(timer);
  }
}
