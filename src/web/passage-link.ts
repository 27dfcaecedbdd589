/**
 * Passages as this page names them: a document and a place in its text. Such a link opens whatever is searched at the moment, and
 * as long as the document stays as it is.
 */
import { collections, currentName } from './collection.ts';
import type { MarkRange } from './marked-text.tsx';
import { linkTo } from './route.ts';
import { config } from './server-state.ts';
import type { WireHit } from './wire.ts';

export type PassageRef = {
  readonly docId: string;
  /** Null: this page's own. */
  readonly collection: string | null;
  /** UTF-16 offsets into the parsed text. */
  readonly start: number;
  readonly end: number;
  /** Null where the document has no pages. */
  readonly page: number | null;
  readonly pageEnd: number | null;
};

/** What is known of a passage beside its place, where a search has found it. */
export type KnownPassage = PassageRef & {
  readonly filename: string;
  readonly text: string;
  /** Offsets into `text`. */
  readonly highlights: readonly MarkRange[];
  readonly section: readonly string[];
};

export function passageOf({ citation, text, highlights }: Pick<WireHit, 'citation' | 'text' | 'highlights'>): KnownPassage {
  return {
    docId: citation.doc_id,
    collection: citation.collection === currentName(config.peek()) ? null : citation.collection,
    start: citation.char_start,
    end: citation.char_end,
    page: citation.page,
    pageEnd: citation.page_end,
    filename: citation.filename,
    text,
    highlights: highlights.map(([from = 0, to = 0]): MarkRange => [from, to]),
    section: citation.section,
  };
}

/** One name for one place. */
export function keyOf(ref: PassageRef): string {
  return `${ref.collection ?? ''} ${ref.docId} ${ref.start}-${ref.end}`;
}

/** The parameters of an address that opens the passage. */
export function toParameters(ref: PassageRef): Readonly<Record<string, string>> {
  const pages = ref.page === null ? {} : { p: pageText(ref.page, ref.pageEnd) };
  const place = ref.collection === null ? {} : { of: ref.collection };
  return { read: ref.docId, ...place, at: `${ref.start}-${ref.end}`, ...pages };
}

/** Null where an address opens none, or one that cannot be. */
export function fromParameters(parameters: Readonly<Record<string, string>>): PassageRef | null {
  const {
    read: docId,
    of: collection = null,
    at = '',
    p = '',
  } = parameters as { read?: string; of?: string; at?: string; p?: string };
  const [, start, end] = /^(\d{1,10})-(\d{1,10})$/.exec(at) ?? [];
  if (docId === undefined || docId === '' || start === undefined || Number(end) <= Number(start)) return null;
  const [, page, last] = /^(\d{1,6})(?:–(\d{1,6}))?$/.exec(p) ?? [];
  return {
    docId,
    collection,
    start: Number(start),
    end: Number(end),
    page: page === undefined ? null : Number(page),
    pageEnd: page === undefined ? null : Number(last ?? page),
  };
}

/** `3`, or `3–4` where it runs over. */
export function pageText(first: number, last: number | null): string {
  return last === null || last === first ? String(first) : `${first}–${last}`;
}

/** Where anybody who may read the document finds the passage. */
export function permanentLink(ref: PassageRef): string {
  const c = collections.peek().length < 2 ? null : (ref.collection ?? currentName(config.peek()));
  return new URL(linkTo('search', { c, ...toParameters({ ...ref, collection: null }) }), document.baseURI).href;
}
