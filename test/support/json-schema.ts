/** From a JSON schema: values that fit it (for requests) and a check of values against it (for answers). */
import fc from 'fast-check';
import { z } from 'zod';

export type JsonSchema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
};

/** One for all: its table of characters takes a while to make. */
const character = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 });

export type Components = Readonly<Record<string, JsonSchema>>;

/** Values that a schema allows; of large ones, small examples. */
export function fitting(schema: JsonSchema, components: Components): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(components[schema.$ref.split('/').at(-1)!]!, components);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fitting(one, components)));
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  if (type === 'integer') return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1000, 2 ** 31) });
  if (type === 'number') return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'array') return fc.array(fitting(schema.items ?? {}, components), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
  if (type === 'object') return object(schema, components);
  return text(schema);
}

/** A check that throws with what is wrong. */
export function checker(schema: JsonSchema, components: Components): (value: unknown) => void {
  const inlined = JSON.parse(
    JSON.stringify({ ...schema, $defs: components }, withoutProperties).replaceAll('#/components/schemas/', '#/$defs/'),
  ) as Parameters<typeof z.fromJSONSchema>[0];
  const parser = z.fromJSONSchema(inlined);
  return (value) => void parser.parse(value);
}

/** zod reads patterns without the flag `u`, by which `\\P{Cc}` is no class of characters. */
function withoutProperties(key: string, value: unknown): unknown {
  return key === 'pattern' && /\\p\{/i.test(String(value)) ? undefined : value;
}

function object(schema: JsonSchema, components: Components): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one, components)]));
  const fixed = fc.record(known, { requiredKeys: [...required] });
  if (typeof additionalProperties !== 'object') return fixed;
  const key = fc.string({ minLength: 1, maxLength: 20, unit: character }).filter((name) => !(name in Object.prototype));
  const more = fc.dictionary(key, fitting(additionalProperties, components), { maxKeys: 4, noNullPrototype: true });
  return fc.tuple(more, fixed).map(([others, own]) => ({ ...others, ...(own as object) }));
}

function text({ minLength = 0, maxLength = 40, pattern, format }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  const allowed = pattern === undefined ? null : new RegExp(pattern, 'u');
  return fc
    .string({ minLength, maxLength: Math.min(maxLength, 60), unit: character })
    .filter((value) => Array.from(value).length <= maxLength && (allowed?.test(value) ?? true));
}
