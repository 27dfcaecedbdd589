/** What a client says of a document (`tasks/given.ts`), as it comes: one schema for the address, the form, a tool and the answers. */
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { type Description, descriptionOf, type Metadata, metadataFault, metadataMembersMax } from '../../tasks/given.ts';
import { parseStrictJson } from './strict-json.ts';
import { checkedBy, describedAs } from './checked.ts';

/** What each member of a document's description is called here; the tables below have one schema a name. */
const names = { metadata: 'metadata' } as const satisfies Readonly<Record<keyof Description, string>>;
type ByName = { readonly [Member in keyof Description as (typeof names)[Member]]: z.ZodType };

const scalar = [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }, { type: 'null' }];
const metadataShape = {
  type: 'object',
  maxProperties: metadataMembersMax,
  propertyNames: { minLength: 1, pattern: '^[^$]' },
  additionalProperties: { anyOf: [...scalar, { type: 'array', items: { anyOf: scalar } }] },
};

function readMetadata(value: unknown): Metadata {
  const fault = metadataFault(value);
  if (fault !== null) throw new AppError('invalid_request', fault);
  return value as Metadata;
}

/** Metadata as a member of a body or an answer. */
export const metadata: z.ZodType<Metadata, Metadata> = checkedBy<Metadata, Metadata>(
  z.unknown() as z.ZodType<unknown, Metadata>,
  readMetadata,
).meta({
  id: 'Metadata',
  description:
    `Up to ${metadataMembersMax} members of your own, 16 KiB as JSON: strings, numbers, booleans, null, or arrays of those. ` +
    'Each can be used in filters, and is returned with every hit.',
  ...describedAs(metadataShape),
});

const keptScalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Metadata as an answer shows it: what was kept, in a schema that other libraries can describe. */
export const keptMetadata: z.ZodType<Metadata, Metadata> = z
  .record(z.string(), z.union([keptScalar, z.array(keptScalar).readonly()]))
  .meta({ id: 'KeptMetadata', description: 'The metadata of the document.' });

/** @throws AppError `invalid_request`, `bad_request`. */
function readMetadataText(text: string): Metadata | null {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError('invalid_request', `is not valid as JSON: ${error.message}`, { cause: error });
  }
  return value === null ? null : readMetadata(value);
}

const callbackUrl = z
  .string()
  .min(1)
  .max(2048)
  .optional()
  .meta({ description: 'Where to send a signed webhook when the task has finished; its host must be allowed on this server.' });

/** Of tasks, documents and citations: what stays with a document. */
export const describedFields = { metadata: keptMetadata.nullable() } satisfies ByName;
type Described = z.output<z.ZodObject<typeof describedFields>>;

/** Of a body in JSON and of a tool that brings a document. */
export const describingFields = {
  metadata: metadata.nullable().optional().meta({ description: 'If absent, the document keeps its metadata; `null` removes it.' }),
} satisfies ByName;
type Describing = z.output<z.ZodObject<typeof describingFields>>;

/** As answers have it. */
export function toDescribed(description: Description): Described {
  return Object.fromEntries(members.map(([member, name]) => [name, description[member]])) as Described;
}

/** What was given of it. */
export function toDescription(given: Describing): Partial<Description> {
  return descriptionOf(Object.fromEntries(members.map(([member, name]) => [member, given[name]])));
}

const members = Object.entries(names) as [keyof Description, keyof Describing][];

/** Fields of an address or of a form, in one of the two. */
export const givenFields = {
  metadata: checkedBy<Metadata | null, string>(z.string(), readMetadataText)
    .optional()
    .meta({
      description: 'A JSON object (see Metadata). If absent, the document keeps its metadata; `null` removes it.',
      example: '{"department":"hr","year":2026}',
      ...describedAs({ type: 'string' }),
    }),
  callback_url: callbackUrl,
} satisfies ByName & Readonly<Record<string, z.ZodType>>;
export type GivenFields = z.output<z.ZodObject<typeof givenFields>>;
