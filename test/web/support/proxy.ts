/**
 * A small reverse proxy, as a reverse proxy in the field is: it serves the page under a path prefix, and on request it does what
 * proxies do to event streams (breaks them off, or does not let them through).
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Proxy = {
  /** With the prefix and a final slash. */
  readonly url: string;
  /** `Last-Event-ID` of each event stream that was asked for, oldest first; '' where none was sent. */
  readonly streamsFrom: string[];
  /** Breaks off every event stream that is open. */
  breakStreams(): void;
  close(): Promise<void>;
};

export type ProxyOptions = {
  readonly target: string;
  /** Begins with a slash; '' for none. */
  readonly prefix: string;
  /** Answers 404 to event streams. */
  readonly refuseStreams?: boolean;
};

export async function startProxy({ target, prefix, refuseStreams = false }: ProxyOptions): Promise<Proxy> {
  const streams = new Set<ServerResponse>();
  const streamsFrom: string[] = [];
  const server = createServer((req, res) => {
    const path = req.url ?? '/';
    if (!path.startsWith(`${prefix}/`)) return void res.writeHead(404).end();
    const inner = path.slice(prefix.length);
    if (inner === '/events') {
      streamsFrom.push(String(req.headers['last-event-id'] ?? ''));
      if (refuseStreams) return void res.writeHead(404).end();
      streams.add(res);
      res.on('close', () => streams.delete(res));
    }
    pass(req, res, new URL(inner, target));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}/`,
    streamsFrom,
    breakStreams() {
      for (const stream of streams) stream.destroy();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function pass(req: IncomingMessage, res: ServerResponse, to: URL): void {
  const onward = request(to, { method: req.method ?? 'GET', headers: { ...req.headers, host: to.host } }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
  res.on('close', () => onward.destroy());
  req.pipe(onward);
}
