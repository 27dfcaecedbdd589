/**
 * What a client says of a document beside its bytes: one value, carried whole from the upload to the hit, so that a field added here
 * reaches the fingerprint of a repeated upload, the task, the index and the answers. Pure.
 */
import { AppError } from '../errors.ts';

export type MetadataScalar = string | number | boolean | null;
/** A document's own fields, free in their names; each can be asked for by a filter (`search/filters.ts`). */
export type Metadata = Readonly<Record<string, MetadataScalar | readonly MetadataScalar[]>>;

/**
 * What stays with a document: shown with its tasks, in lists and in every hit. A member that is added here is carried to all of them;
 * the compiler names the places that say how it comes (`http/wire/given.ts`), is kept in an index file (`search/sqlite/catalog.ts`) and is
 * given by the command.
 */
export type Description = {
  readonly metadata: Metadata | null;
};

/** Of a document that nothing was said of. */
export const undescribed: Description = { metadata: null };
const members = Object.keys(undescribed) as (keyof Description)[];

/** Whether a value of a stored record is one that a member can have; what version 0.1.0 did not write may be absent (`undefined`). */
export const descriptionShapes: Readonly<Record<keyof Description, (stored: unknown) => boolean>> = {
  metadata: (stored) => stored === null || (typeof stored === 'object' && !Array.isArray(stored)),
};

/** Of an upload: a member that is absent leaves what the document has, null takes it away. */
export type Given = Partial<Description> & {
  /** Decoded; never a path. */
  readonly filename: string;
  readonly declaredMediaType: string | null;
  /** Where to tell of the task's end; null: nowhere. */
  readonly callbackUrl: string | null;
  /** Opens the file; kept while the task may still read it, and no longer. Absent: none. */
  readonly password?: string;
};

/** UTF-16 units of a password; those of office programs have 255 at most. */
export const passwordCharactersMax = 1024;

/** What is given of a larger value, and nothing else of it. */
export function givenOf(from: Given): Given {
  const { filename, declaredMediaType, callbackUrl, password } = from;
  return {
    filename,
    declaredMediaType,
    callbackUrl,
    ...descriptionOf(from),
    ...(password === undefined ? {} : { password }),
  };
}

type MaybeSaid = { readonly [Member in keyof Description]?: Description[Member] | undefined };

/** What of a larger value stays with a document: all of it for a whole document, what was said for an upload. */
export function descriptionOf(from: Description): Description;
export function descriptionOf(from: MaybeSaid): Partial<Description>;
export function descriptionOf(from: MaybeSaid): Partial<Description> {
  const said = members.filter((member) => from[member] !== undefined);
  return Object.fromEntries(said.map((member) => [member, from[member]]));
}

/** A larger value without what stays with a document. */
export function withoutDescription<T extends Partial<Description>>(from: T): Omit<T, keyof Description> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !Object.hasOwn(undescribed, name))) as Omit<
    T,
    keyof Description
  >;
}

/** What stays with a document after an upload that gave this; null: there was none before. */
export function keptDescription(given: Partial<Description>, before: Partial<Description> | null): Description {
  return { ...undescribed, ...descriptionOf(before ?? {}), ...descriptionOf(given) };
}

/** What a document has after an upload or a change that gave this: `undefined` keeps what was there. */
export function kept<T>(given: T | undefined, before: T): T {
  return given === undefined ? before : given;
}

/** UTF-8 bytes of the metadata as JSON without spaces, and how many members. */
export const metadataBytesMax = 16 * 1024;
export const metadataMembersMax = 64;

/** What is wrong with a value as metadata, as a sentence that says what to do; null when nothing is. */
export function metadataFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be a JSON object, such as {"department": "hr"}';
  const members = Object.entries(value);
  if (members.length > metadataMembersMax) return `has ${members.length} members; give ${metadataMembersMax} at most`;
  for (const [name, member] of members) {
    const fault = nameFault(name) ?? memberFault(member);
    if (fault !== null) return `${JSON.stringify(shown(name))}: ${fault}`;
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > metadataBytesMax ? `has ${bytes} bytes as JSON; give ${metadataBytesMax} at most` : null;
}

/** What is wrong with one value of metadata, or one that a filter compares with; null when nothing is. */
export function scalarFault(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return textFault(value);
    case 'number':
      if (!Number.isFinite(value)) return 'is no number that can be kept; write it as a string';
      return Number.isInteger(value) && !Number.isSafeInteger(value)
        ? 'an integer beyond 9007199254740991 would lose digits; write it as a string'
        : null;
    case 'boolean':
      return null;
    default:
      return value === null ? null : 'must be a string, a number, a boolean or null';
  }
}

/**
 * JSON Merge Patch (RFC 7396) of metadata: null as a whole or as a member removes, anything else replaces.
 * @throws AppError `invalid_request` when the outcome is no metadata that may be kept.
 */
export function patchMetadata(before: Metadata | null, patch: Readonly<Record<string, unknown>> | null): Metadata | null {
  if (patch === null) return null;
  const members = new Map<string, unknown>(Object.entries(before ?? {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, value);
  }
  const merged: unknown = Object.fromEntries(members);
  const fault = metadataFault(merged);
  if (fault !== null) throw new AppError('invalid_request', `metadata: ${fault}`);
  return merged as Metadata;
}

function memberFault(value: unknown): string | null {
  if (!Array.isArray(value))
    return typeof value === 'object' && value !== null
      ? 'is an object; a value is a string, a number, a boolean, null, or an array of those'
      : scalarFault(value);
  for (const item of value as unknown[]) {
    const fault = scalarFault(item);
    if (fault !== null) return `in an array: ${fault}`;
  }
  return null;
}

function nameFault(name: string): string | null {
  if (name === '') return 'a member needs a name';
  if (name.startsWith('$')) return 'a name that begins with $ is a field of the document itself; take another name';
  return textFault(name);
}

function textFault(text: string): string | null {
  if (!text.isWellFormed()) return 'has half of a character (a lone surrogate); send it as whole Unicode characters';
  return text.includes('\0') ? 'has a NUL character (U+0000); leave it out: valid Unicode without NUL is kept' : null;
}

function shown(name: string): string {
  return (name.length > 64 ? `${name.slice(0, 64)}…` : name).toWellFormed();
}
