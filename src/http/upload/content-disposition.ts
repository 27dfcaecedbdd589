/**
 * File names in `Content-Disposition`, in and out (RFC 6266, RFC 5987, WHATWG form data). What comes in is decoded as
 * clients really send it: raw UTF-8, `filename*`, backslash escapes, `%22` of browsers, GBK of old Chinese systems.
 * A name is only ever shown, never used as a path.
 */

import { AppError } from '../../errors.ts';

const filenameCharactersMax = 255;

export type Disposition = { readonly name: string | null; readonly filename: string | null };

/**
 * Reads a header given as its bytes in latin1 (one character a byte, as Node and the multipart parser deliver them).
 * @throws AppError `bad_request` for a `filename*` that is broken and has no `filename` beside it.
 */
export function parseDisposition(header: string): Disposition {
  const parameters = readParameters(header);
  const name = parameters.get('name');
  const plain = parameters.get('filename');
  const starred = parameters.get('filename*');
  const extended = decodeExtended(starred);
  if (starred !== undefined && extended === null && plain === undefined)
    throw new AppError(
      'bad_request',
      "The filename* of Content-Disposition is malformed; write it as UTF-8''name, percent-encoded.",
    );
  return {
    name: name === undefined ? null : decodeBytes(name),
    filename: extended ?? (plain === undefined ? null : cleanFilename(decodeBytes(plain).replace(/%22/g, '"'))),
  };
}

/** A file name fit to be shown and logged: the last path component, no control or bidi-override characters, 255 characters. */
export function cleanFilename(name: string): string {
  const shown = name.toWellFormed().replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '');
  const last = shown.slice(Math.max(shown.lastIndexOf('/'), shown.lastIndexOf('\\')) + 1).trim();
  return Array.from(last).slice(0, filenameCharactersMax).join('');
}

/** The header that makes a browser save a file under this name instead of showing it. */
export function attachment(filename: string): string {
  const clean = cleanFilename(filename) || 'file';
  const ascii = clean.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const extended = encodeURIComponent(clean).replace(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return ascii === clean ? `attachment; filename="${ascii}"` : `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

/**
 * `; key=value` pairs, the first of each key. Linear in the header: it stops at the first thing that is no pair.
 * Only \" and \\ are escapes, since browsers leave other backslashes alone (`C:\report.pdf`); a quote that is never closed ends the header.
 */
function readParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const pair = /[^;]*;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\["\\]|\\(?!["\\]))*)(?:"|$)|([^;"]*))/y;
  for (let match = pair.exec(header); match !== null; match = pair.exec(header)) {
    const [, key, quoted, token] = match;
    const value = quoted === undefined ? token!.trim() : quoted.replace(/\\(["\\])/g, '$1');
    if (!parameters.has(key!.toLowerCase())) parameters.set(key!.toLowerCase(), value);
  }
  return parameters;
}

/** RFC 5987 `charset'language'percent-encoded`; null when it is absent or broken, so that `filename` can step in. */
function decodeExtended(value: string | undefined): string | null {
  const [, charset, encoded] = /^([\w-]+)'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (charset === undefined || encoded === undefined || /%(?![0-9a-f]{2})/i.test(encoded)) return null;
  const bytes = Buffer.from(
    encoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  const name = decoded(bytes, charset);
  return name === null ? null : cleanFilename(name);
}

/** UTF-8 where it is valid; else GBK where every byte pair is a GB 2312 character (old Chinese systems); else latin1. */
function decodeBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return (
    decoded(bytes, 'utf-8') ?? (/^(?:[\0-\x7f]|[\xa1-\xf7][\xa1-\xfe])*$/.test(latin1) ? decoded(bytes, 'gbk') : null) ?? latin1
  );
}

function decoded(bytes: Uint8Array, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
