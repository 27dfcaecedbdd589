/**
 * What a request says, held against what its route knows. Nothing is passed over: an unknown name, or a value that would have
 * no effect, is refused, since a filter that is silently ignored answers with everything there is.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { whatItMustBe } from './value-words.ts';
import { unknownName } from './nearest-name.ts';

type Place = 'path' | 'query' | 'body';

type Complaint = {
  readonly unknown: boolean;
  readonly shown: { readonly in: Place; readonly name: string; readonly message: string };
};

const kinds: Readonly<Record<Place, string>> = { path: 'parameter', query: 'parameter', body: 'field' };
const complaintsMax = 10;
const nameCharactersMax = 256;
const noParameters = z.strictObject({});

/**
 * The query of an address, read by a route's schema; an object of its own takes no other members than it names.
 * @throws AppError `bad_request` when it is not UTF-8, `invalid_request` for what is unknown, given twice or malformed.
 */
export function readQuery(schema: z.ZodType | undefined, querystring: string): unknown {
  const known = schema ?? noParameters;
  return checked(known instanceof z.ZodObject ? known.strict() : known, queryObject(querystring), 'query');
}

/** The parts of an address that its route names. @throws AppError `bad_request` when they are not UTF-8, `invalid_request`. */
export function readParams(schema: z.ZodType | undefined, path: string, params: Record<string, string>): unknown {
  // The router passes broken percent-encoding on as it came.
  try {
    decodeURIComponent(path);
  } catch (error) {
    throw new AppError('bad_request', 'The path is not valid percent-encoded UTF-8.', { cause: error });
  }
  return schema === undefined ? {} : checked(schema, params, 'path');
}

/** A JSON value, read by a route's schema. @throws AppError `invalid_request`. */
export function readBody(schema: z.ZodType, value: unknown): unknown {
  return checked(schema, value, 'body');
}

function checked(schema: z.ZodType, value: unknown, place: Place): unknown {
  const parsed = schema.safeParse(value, { error: (issue) => sentence(issue, place) });
  if (parsed.success) return parsed.data;
  // What is missing is often there under another name: that name is what to speak of.
  const complaints = parsed.error.issues
    .map((issue) => complaint(issue, place))
    .toSorted((a, b) => Number(b.unknown) - Number(a.unknown));
  const errors = complaints.slice(0, complaintsMax).map(({ shown }) => shown);
  const { unknown, shown } = complaints[0]!;
  const detail = unknown ? shown.message : `${shown.name || place}: ${shown.message}`;
  throw new AppError('invalid_request', detail, { extensions: { errors } });
}

/** An object of these members and no others, whose refusal names the one that was probably meant. `kind`: what they are called. */
export function strictly<S extends z.ZodRawShape>(kind: string, shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownName(kind, issue.keys[0]!, Object.keys(shape)) : undefined),
  });
}

function sentence(issue: z.core.$ZodRawIssue, place: Place): string | undefined {
  if (issue.code === 'unrecognized_keys') return unknownName(kinds[place], issue.keys[0]!, knownTo(issue.inst));
  const isOfOneValue = issue.code === 'invalid_type' || issue.code === 'invalid_value';
  if (isOfOneValue && place === 'query' && Array.isArray(issue.input)) return 'is given more than once';
  return whatItMustBe(issue);
}

function knownTo(schema: unknown): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function complaint(issue: z.core.$ZodIssue, place: Place): Complaint {
  const { path, message } = issue;
  const unknown = issue.code === 'unrecognized_keys';
  const name = (unknown ? [...path, issue.keys[0]!] : path).join('.').slice(0, nameCharactersMax);
  return { unknown, shown: { in: place, name, message } };
}

/** One value as a string, several as a list; no prototype that a key could reach. */
function queryObject(querystring: string): Record<string, string | string[]> {
  if (!isUtf8(Buffer.from(querystring.replace(/%([0-9a-f]{2})/gi, byteOf), 'latin1')))
    throw new AppError('bad_request', 'The query is not valid percent-encoded UTF-8.');
  const query = Object.create(null) as Record<string, string | string[]>;
  for (const [key, value] of new URLSearchParams(querystring)) {
    const before = query[key];
    query[key] = before === undefined ? value : [before, value].flat();
  }
  return query;
}

function byteOf(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
