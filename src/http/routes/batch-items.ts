/** What a batch brings, one document after the other: lines of NDJSON, or the files of a ZIP archive. */
import { AppError } from '../../errors.ts';
import { cleanFilename } from '../upload/content-disposition.ts';
import { type NdjsonLine, ndjsonLines } from '../upload/ndjson-lines.ts';
import { tooManyItems, type ZipEntry, zipEntries } from '../upload/zip-entries.ts';
import { readBody } from '../wire/input.ts';
import * as schemas from '../wire/schemas.ts';
import { parseStrictJson } from '../wire/strict-json.ts';

export type BatchDocument = Omit<schemas.BatchLine, 'filename' | 'text' | 'file_base64'> & {
  readonly filename: string;
  readonly content: Uint8Array;
};

export type BatchItem = {
  /** The line, or the place in the archive, from 1. */
  readonly number: number;
  /** As it came. */
  readonly bytes: number;
  /** Reads it. `docId`: as the client gave it, whatever else is wrong; null when it gave none that can be told. */
  readonly read: () => { readonly docId: string | null } & (
    | { readonly document: BatchDocument }
    | { readonly document: null; readonly refused: unknown }
  );
};

/** `begins` is told of each place before it is read, also where it then brings no item. */
export type BatchItems = (content: AsyncIterable<Buffer>, begins: (place: number) => void) => AsyncGenerator<BatchItem>;

/** Of JSON, or of a file; what is larger is no small document, and reading it would hold the others up. */
export const itemBytesMax = 4 * 1024 * 1024;
/** Of one request; folders of an archive count. */
const itemsMax = 100_000;
/** A longer doc_id is no client's own: it is not told back. */
const toldCharactersMax = 1024;

/** @throws AppError `invalid_request` for too many lines; what reading the content does. */
export async function* itemsOfLines(content: AsyncIterable<Buffer>, begins: (place: number) => void): AsyncGenerator<BatchItem> {
  begins(1);
  for await (const line of ndjsonLines(content, itemBytesMax)) {
    if (line.number > itemsMax) throw tooManyItems(itemsMax);
    yield { number: line.number, bytes: line.bytes, read: () => readLine(line) };
    begins(line.number + 1);
  }
}

/** The name of a file in the archive is its doc_id. @throws AppError as `zipEntries`. */
export async function* itemsOfZip(content: AsyncIterable<Buffer>, begins: (place: number) => void): AsyncGenerator<BatchItem> {
  for await (const entry of zipEntries(content, { bytesMax: itemBytesMax, entriesMax: itemsMax, begins }))
    yield { number: entry.number, bytes: entry.content?.length ?? 0, read: () => readEntry(entry) };
}

function readLine(line: NdjsonLine): ReturnType<BatchItem['read']> {
  let docId: string | null = null;
  try {
    const value = parseStrictJson(textOf(line));
    docId = told((value as { doc_id?: unknown } | null)?.doc_id);
    const { text, file_base64: base64, filename, ...rest } = readBody(schemas.batchLine, value) as schemas.BatchLine;
    const content = text === undefined ? Buffer.from(base64!, 'base64') : Buffer.from(text, 'utf8');
    return {
      docId,
      document: { ...rest, content, filename: cleanFilename(filename ?? '') || namedAfter(rest.doc_id, text !== undefined) },
    };
  } catch (refused) {
    return { docId, document: null, refused };
  }
}

function readEntry({ name, content, problem }: ZipEntry): ReturnType<BatchItem['read']> {
  const docId = told(name);
  try {
    if (content === null) throw unread(problem!);
    const { doc_id: id } = readBody(schemas.batchFile, { doc_id: name }) as Pick<schemas.BatchLine, 'doc_id'>;
    return { docId, document: { doc_id: id, content, filename: namedAfter(name, false) } };
  } catch (refused) {
    return { docId, document: null, refused };
  }
}

function told(docId: unknown): string | null {
  return typeof docId === 'string' && docId.length <= toldCharactersMax ? docId : null;
}

/** @throws AppError `body_too_large`, `bad_request`. */
function textOf({ text, problem }: NdjsonLine): string {
  if (problem === 'too_long')
    throw new AppError(
      'body_too_large',
      `The line is longer than ${itemBytesMax} bytes; upload this file with PUT /documents/{doc_id}.`,
    );
  if (problem === 'not_utf8') throw new AppError('bad_request', 'The line is not UTF-8, as JSON must be.');
  if (problem === 'empty') throw new AppError('bad_request', 'The line is empty.');
  return text!;
}

function unread(problem: NonNullable<ZipEntry['problem']>): AppError {
  if (problem === 'too_long')
    return new AppError('body_too_large', `The file is larger than ${itemBytesMax} bytes; upload it with PUT /documents/{doc_id}.`);
  if (problem === 'encrypted') return new AppError('bad_request', 'The file is encrypted; create the archive without a password.');
  if (problem === 'unknown_method')
    return new AppError('bad_request', 'The file is compressed by a method that is not supported; use Deflate, the usual one.');
  return new AppError('bad_request', 'The file is damaged: its checksum does not match.');
}

/** The last part of the doc_id; a text without an ending is plain text. */
function namedAfter(docId: string, isText: boolean): string {
  const name = cleanFilename(docId.split('/').at(-1)!) || 'file';
  return isText && !/\.[a-z0-9]{1,8}$/i.test(name) ? `${name}.txt` : name;
}
