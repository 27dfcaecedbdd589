/**
 * The address and the host of a request, before anything else is made of them. A proxy in front judges paths and hosts as well: what it
 * and this server could read differently is refused, so that no rule of its own can be walked around.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../errors.ts';

/** Path and query; neither takes a fragment, white space, or a backslash that somebody else takes for a slash. */
const ownForm = /^\/[^\s#\\?]*(?:\?[^\s#]*)?$/;
/** As a request to a proxy has it (RFC 9112 §3.2.2). */
const absoluteForm = /^https?:\/\/([^/?#\\\s@]+)(\/[^]*)?$/i;

/**
 * Path and query of a request, as they came.
 * @throws AppError `bad_request`: no Host or several, an address that is none, or one that names another host.
 */
export function requestTarget({ url = '', rawHeaders, httpVersion, headers }: IncomingMessage): string {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0'))
    throw new AppError('bad_request', 'A request must have exactly one Host header.');
  const [, authority, rest = '/'] = absoluteForm.exec(url) ?? [];
  if (authority !== undefined && authority.toLowerCase() !== headers.host?.toLowerCase())
    throw new AppError('bad_request', 'The address names another host than the Host header does.');
  const target = authority === undefined ? url : rest;
  if (ownForm.test(target) || target === '*') return target;
  throw new AppError('bad_request', 'The address of this request is not valid.');
}
