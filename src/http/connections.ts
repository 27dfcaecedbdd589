/**
 * The connections of a server. Nothing is ever written into an answer or in place of one: what has to be said of a connection itself (no
 * proper HTTP, too slow, another protocol) waits until all that was asked for before has been answered. And a connection that waits
 * for its client gives way: to time, and to a new one when there are too many.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { failBody, givesWay } from './upload/body-watch.ts';

export type ConnectionOptions = {
  readonly connectionsMax: number;
  /** How long a client may leave an answer lying without reading any of it. */
  readonly unreadMs: number;
  /** How long a last answer stays readable before the connection is cut. */
  readonly lingerMs: number;
  /** Writes a last answer that says what is wrong. */
  readonly refuse: (socket: Duplex, reason: Refusal) => void;
};

/** Why a connection is ended with an answer that belongs to no request. */
export type Refusal = 'malformed' | 'unknown_method' | 'headers_too_large' | 'too_slow' | 'tunnel';

type Connection = {
  readonly socket: Socket;
  /** What is being answered, in order. */
  readonly answers: Set<ServerResponse>;
  /** What happens when all is answered; null while nothing is to happen. */
  last: (() => void) | null;
  /** Whether a last answer was given. */
  over: boolean;
  /** What had been read when the last answer was finished: more than that is a request that has begun. */
  answeredBytes: number;
};

/** Sees to all connections of `server` from now on. */
export function watchConnections(server: Server, { connectionsMax, unreadMs, lingerMs, refuse }: ConnectionOptions): void {
  /** Those that have been silent longest come first. */
  const connections = new Map<Duplex, Connection>();
  server.on('connection', opened);
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
    server.on(event, (_request: IncomingMessage, response: ServerResponse) => asked(response));
  server.on('clientError', malformed);
  server.on('upgrade', (request, socket, rest) => afterAnswers(socket, () => goOnWithoutUpgrade(request, socket, rest)));
  server.on('connect', (_request, socket) => refuseLast(socket, 'tunnel'));
  // A listener keeps Node from ending connections that are busy; `timedOut` ends the others.
  server.setTimeout(unreadMs, timedOut);

  function opened(socket: Socket): void {
    if (connections.has(socket)) return;
    connections.set(socket, { socket, answers: new Set(), last: null, over: false, answeredBytes: 0 });
    // Between two parsers nobody else hears of it, and an error that nobody hears ends the process.
    socket.on('error', () => {});
    socket.once('close', () => connections.delete(socket));
    if (connections.size > connectionsMax) makeRoom(socket);
  }

  function asked(response: ServerResponse): void {
    const { socket } = response.req;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connections.delete(socket);
    connections.set(socket, connection);
    connection.answers.add(response);
    response.once('close', () => {
      connection.answers.delete(response);
      connection.answeredBytes = connection.socket.bytesRead;
      if (connection.answers.size === 0) connection.last?.();
    });
  }

  /** The first `then` is the one that counts. */
  function afterAnswers(socket: Duplex, then: () => void): void {
    const connection = connections.get(socket);
    if (connection === undefined || connection.last !== null || connection.over) return;
    connection.last = () => {
      connection.last = null;
      if (socket.writable) then();
    };
    if (connection.answers.size === 0) connection.last();
  }

  function refuseLast(socket: Duplex, reason: Refusal): void {
    afterAnswers(socket, () => {
      connections.get(socket)!.over = true;
      refuse(socket, reason);
      // Cut at once, the answer would be lost under a client that is still sending.
      const cut = setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => clearTimeout(cut));
    });
  }

  function malformed(error: Error & ParseFailure, socket: Duplex): void {
    const connection = connections.get(socket);
    if (connection?.over === true) return;
    if (connection === undefined || error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    // What comes after `Connection: close` is nobody's: the answer itself ends the connection.
    if (error.code === 'HPE_CLOSED_CONNECTION') return;
    const reason = refusalOf(error);
    const unfinished = [...connection.answers].find(({ req }) => !req.complete);
    const tooSlow = reason === 'too_slow';
    const told =
      unfinished !== undefined &&
      failBody(unfinished.req, tooSlow ? 'request_timeout' : 'bad_request', sentences[tooSlow ? 'too_slow' : 'malformed']);
    if (!told) refuseLast(socket, reason);
  }

  function timedOut(socket: Socket): void {
    const busy = (connections.get(socket)?.answers.size ?? 0) > 0 && socket.writableLength === 0;
    if (busy) socket.setTimeout(unreadMs);
    else end(socket);
  }

  /** Of a connection on which nothing is being answered; it is told why where it has begun to ask. */
  function end(socket: Duplex): void {
    const connection = connections.get(socket);
    const begun =
      connection !== undefined && connection.answers.size === 0 && connection.socket.bytesRead > connection.answeredBytes;
    if (begun) refuseLast(socket, 'too_slow');
    else socket.destroy();
  }

  /** Ends the connection that has waited for its client longest; where all are being answered, the new one. */
  function makeRoom(newest: Socket): void {
    for (const [socket, { answers, last, over }] of connections) {
      if (socket === newest || last !== null || over) continue;
      const [first] = answers;
      if (first === undefined || (first.writableEnded && socket.writableLength > 0)) return end(socket);
      if (givesWay(first.req)) return void failBody(first.req, 'request_timeout', sentences.too_slow);
    }
    newest.destroy();
  }

  /**
   * A server may take a request that asks for another protocol as if it had not asked (RFC 9110 §7.8). Node takes what follows for the
   * other protocol's, so the request is handed in again without its wish.
   */
  function goOnWithoutUpgrade(request: IncomingMessage, socket: Duplex, rest: Buffer): void {
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), rest]));
    server.emit('connection', socket);
  }
}

/** What a client is told, by reason. */
export const sentences: Readonly<Record<Refusal, string>> = {
  malformed:
    'This is not a valid HTTP request. Check that its address is percent-encoded; with curl: --get --data-urlencode "q=…".',
  unknown_method: 'This method is not supported; use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.',
  headers_too_large: 'The address and headers of this request are too large; send a long query to POST /search.',
  too_slow: 'The request arrived too slowly.',
  tunnel: 'CONNECT is not supported.',
};

/** What Node says of bytes that are no request. */
type ParseFailure = { readonly code?: string; readonly rawPacket?: Buffer; readonly bytesParsed?: number };

function refusalOf({ code, rawPacket, bytesParsed = 0 }: ParseFailure): Refusal {
  if (code === 'HPE_INVALID_METHOD' && rawPacket !== undefined && isRequestLine(rawPacket, bytesParsed)) return 'unknown_method';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too_slow' : 'malformed';
}

/** Whether the line that the parser gave up in is a request's but for a method that Node does not know (RFC 9110 §15.6.2). */
function isRequestLine(packet: Buffer, at: number): boolean {
  const start = packet.lastIndexOf(0x0a, Math.max(0, at - 1)) + 1;
  const line = packet.toString('latin1', start, start + requestLineBytesMax).split('\n')[0]!;
  return /^[!#$%&'*+.^_`|~\w-]{1,64} [!-~]{1,8000} HTTP\/1\.[01]\r?$/.test(line);
}

const requestLineBytesMax = 8192;

function headWithoutUpgrade({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): string {
  const lines: string[] = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!, rawHeaders[at + 1]!];
    const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value;
    if (!['upgrade', 'http2-settings'].includes(name.toLowerCase()) && kept !== '') lines.push(`${name}: ${kept}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutUpgrade(options: string): string {
  return options
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !['upgrade', 'http2-settings', ''].includes(option.toLowerCase()))
    .join(', ');
}
