/** The text of a document in parts that a model can take. */
import type { ScopedId } from '../documents/document-name.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../http/services.ts';
import { describeDocument, type WireOptions } from '../http/wire/wire.ts';
import type { Asker } from '../search/turns.ts';

/** Who reads: what the request that asks for it came with. */
export type Reader = { readonly services: Services; readonly wire: WireOptions; readonly asker: Asker };

/** `start` and `end` are UTF-16 offsets into the whole text; `more`: there is text after `end`. */
export type DocumentText = {
  readonly document: ReturnType<typeof describeDocument>;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly more: boolean;
};

/**
 * At most one character more than `charactersMax`, so that none is cut. Reads no further than it must: a document may be far larger
 * than what a model can take. @throws AppError `not_found`.
 */
export async function readDocument(
  docId: ScopedId,
  start: number,
  charactersMax: number,
  { services, wire, asker }: Reader,
): Promise<DocumentText> {
  const found = await services.documents.content(docId, asker);
  if (found === null) throw documentNotFound();
  const { stream, document } = found;
  // One more than asked for, so that a character of two units is never cut.
  const end = start + charactersMax + 1;
  let text = '';
  let at = 0;
  try {
    stream.setEncoding('utf8');
    for await (const piece of stream) {
      const next = piece as string;
      if (at + next.length > start && at < end) text += next.slice(Math.max(0, start - at), end - at);
      at += next.length;
      if (at >= end) break;
    }
  } finally {
    stream.destroy();
  }
  const units = /[\uD800-\uDBFF]/.test(text[charactersMax - 1] ?? '') ? charactersMax + 1 : charactersMax;
  text = text.slice(0, units);
  const next = start + text.length;
  return {
    document: describeDocument(document, wire),
    text: text.toWellFormed(),
    start,
    end: next,
    more: next < document.characters,
  };
}

export function documentNotFound(): AppError {
  return new AppError('not_found', 'Document not found');
}
