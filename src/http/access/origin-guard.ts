/**
 * Which web pages may talk to this server. A browser sends requests for any page its user looks at, also to 127.0.0.1;
 * these checks are what keeps a strange page from using the user's reach or cookie.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../../errors.ts';
import { requestedHost, type ProxyTrust } from './client-address.ts';

const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A page under an attacker's name whose name resolves to this address (DNS rebinding) betrays itself by its Host.
 * @throws AppError `misdirected`.
 */
export function checkHost(request: IncomingMessage, allowedHosts: readonly string[] | null): void {
  if (allowedHosts === null) return;
  const host = hostName(request.headers.host ?? '');
  if (allowedHosts.includes(host) || host === 'localhost' || isLoopbackAddress(host)) return;
  throw new AppError('misdirected', 'This server does not accept this host name. An administrator can add it to ALLOWED_HOSTS.');
}

/**
 * Refuses to change anything on behalf of a page of another origin. The browser's own word for it (`Sec-Fetch-Site`, which no page
 * can set) comes first, since a proxy may have put another name into Host; a browser that does not say it is judged by Origin. With a
 * cookie one of the two must say that it is the same origin: a cookie is sent whoever asks.
 * @throws AppError `forbidden`.
 */
export function checkOrigin(
  request: IncomingMessage,
  options: { allowed: readonly string[]; proxyTrust: ProxyTrust; byItself: boolean },
): void {
  if (safeMethods.includes(request.method ?? '')) return;
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const sameHost = origin !== undefined && originHost(origin) === requestedHost(request, options.proxyTrust);
  const listed = origin !== undefined && options.allowed.includes(origin) && !options.byItself;
  if (site === 'same-origin' || sameHost || listed) return;
  const told = origin !== undefined || (site !== undefined && site !== 'none');
  if (told || options.byItself)
    throw new AppError('forbidden', 'Requests that change something must come from this server’s own page.');
}

/** What a page of another origin may read of an answer, beside what every page may. */
const shownHeaders = [
  'ETag',
  'Location',
  'Retry-After',
  'WWW-Authenticate',
  'Accept-Ranges',
  'Content-Range',
  'Content-Disposition',
  'X-Request-Id',
  'Idempotency-Replayed',
  'Preference-Applied',
];

/** What a page of another origin may send: all that some route reads. */
const takenHeaders = [
  'Authorization',
  'X-API-Key',
  'Content-Type',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Digest',
  'Repr-Digest',
  'X-Filename',
  'X-Document-Password',
  'Prefer',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'If-Range',
  'Range',
  'Last-Event-ID',
  'X-Request-Id',
  'MCP-Protocol-Version',
];

/** CORS headers for an origin on the list, none for any other. Keys go in headers, so credentials are never allowed. */
export function corsHeaders(request: IncomingMessage, allowed: readonly string[]): Record<string, string> {
  const { origin } = request.headers;
  if (allowed.length === 0) return {};
  if (origin === undefined || !allowed.includes(origin)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': shownHeaders.join(', '),
    ...(request.headers['access-control-request-method'] === undefined
      ? {}
      : {
          'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
          'Access-Control-Allow-Headers': takenHeaders.join(', '),
          'Access-Control-Max-Age': '600',
        }),
  };
}

/** Whether a HOST setting or a Host header means this machine only. */
export function isLoopbackHost(host: string): boolean {
  const name = hostName(host);
  return name === 'localhost' || isLoopbackAddress(name);
}

function isLoopbackAddress(name: string): boolean {
  return name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Without port and brackets, in lower case, without a final dot. */
function hostName(host: string): string {
  if (isIP(host) === 6) return host;
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1];
  return bracketed ?? host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
