/**
 * Header fields that would change what a request means and that no route obeys: refused, since passing them over would do
 * something else than was asked. What becomes of each field is in `docs/http-semantics.md`.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../errors.ts';
import type { Route } from '../routes/route.ts';

const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** @throws AppError `unknown_transfer_coding` for a transfer coding other than chunked (RFC 9112 §6.1), `bad_request`. For any address. */
export function refuseUnknownFraming({ headers }: IncomingMessage): void {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    throw new AppError('unknown_transfer_coding', 'Transfer-Encoding: only chunked is supported; compress with Content-Encoding.');
  const override = methodOverrides.find((name) => headers[name] !== undefined);
  if (override !== undefined)
    throw new AppError('bad_request', `The method must be in the request line; ${override} is not supported.`);
}

/** @throws AppError `bad_request` (a part of a body), `invalid_request` (a key that would not keep a change from happening twice). */
export function refuseUnhonoured({ headers }: IncomingMessage, route: Route): void {
  if (route.body !== undefined && headers['content-range'] !== undefined)
    throw new AppError('bad_request', 'Content-Range: a part of a file cannot be uploaded; send the whole file.');
  if (/digest|content-md5/i.test(headers.trailer ?? ''))
    throw new AppError('bad_request', 'Send the digest of the body in a header, not in a trailer.');
  const changes = route.method === 'POST' && route.scope !== 'read';
  const takesKey = Object.hasOwn(route.requestHeaders?.shape ?? {}, 'idempotency-key');
  if (changes && !takesKey && headers['idempotency-key'] !== undefined)
    throw new AppError('invalid_request', 'Idempotency-Key is not supported here; send the request without it.');
}
