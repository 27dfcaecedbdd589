/** Server-sent events (HTML Living Standard §9.2): one answer that stays open, with bounded buffers. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import type { HttpLimits } from '../http-settings.ts';
import type { Slots } from '../access/slots.ts';

export interface EventStream {
  /** Sends one event; a client that does not read is cut off instead of being buffered for. */
  send(event: { id: string; name: string; data: unknown }): void;
  close(): void;
  /** Aborts when the stream has ended, whoever ended it. */
  readonly closed: AbortSignal;
}

/**
 * Turns the request's answer into an event stream; it ends when `until` aborts. A comment every `eventHeartbeatMs` keeps
 * proxies from closing it and finds dead clients.
 * @throws AppError `rate_limited` when too many are open.
 */
export function openEventStream(
  ctx: Context,
  { limits, slots, client, until }: { limits: HttpLimits; slots: Slots; client: string; until: AbortSignal },
): EventStream {
  const release = slots.take(client);
  if (release === null)
    throw new AppError('rate_limited', 'Too many event streams are open; close some, or try again later.', {
      retryAfterSeconds: 10,
    });
  const { res } = ctx;
  const ended = new AbortController();
  ctx.respond = false;
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
  res.write('retry: 2000\n\n');
  const heartbeat = setInterval(() => write(': keep-alive\n\n'), limits.eventHeartbeatMs);
  res.once('close', end);
  until.addEventListener('abort', close, { once: true });
  if (until.aborted) close();
  return { send, close, closed: ended.signal };

  function send({ id, name, data }: { id: string; name: string; data: unknown }): void {
    write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  function write(text: string): void {
    if (ended.signal.aborted || res.writableEnded) return;
    if (res.writableLength > limits.eventBufferBytesMax) res.destroy();
    else res.write(text);
  }

  function close(): void {
    res.end();
    end();
  }

  function end(): void {
    if (ended.signal.aborted) return;
    clearInterval(heartbeat);
    until.removeEventListener('abort', close);
    release?.();
    ended.abort();
  }
}
