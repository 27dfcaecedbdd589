/** Runs one parser over bytes, with the limits of the default settings or tighter ones. */
import { loadConfig } from '../../src/config.ts';
import { DocumentError } from '../../src/errors.ts';
import type { ParsedDocument, ParseInput, ParseLimits, Parser } from '../../src/parse/parser.ts';

export type ParseOptions = {
  readonly filename?: string;
  readonly declaredMediaType?: string;
  readonly password?: string;
  readonly limits?: Partial<ParseLimits>;
} & Partial<Pick<ParseInput, 'onProgress' | 'onPages'>>;

/** The limits that a server has when nobody set any. */
export const usualLimits: ParseLimits = loadConfig({});

export async function parseBytes(parser: Parser, bytes: Uint8Array, options: ParseOptions = {}): Promise<ParsedDocument> {
  return parser.parse({
    path: '',
    bytes,
    fileBytes: bytes.length,
    filename: options.filename ?? 'file',
    declaredMediaType: options.declaredMediaType ?? null,
    limits: { ...usualLimits, ...options.limits },
    onProgress: options.onProgress ?? (() => {}),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.onPages === undefined ? {} : { onPages: options.onPages }),
  });
}

/** The refusal as `code: sentence`. A document that is read, and a bug that is thrown, fail the test. */
export async function refusalOf(parser: Parser, bytes: Uint8Array, options: ParseOptions = {}): Promise<string> {
  try {
    await parseBytes(parser, bytes, options);
  } catch (error) {
    if (error instanceof DocumentError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('The document was read, where a refusal was expected');
}
