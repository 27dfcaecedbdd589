/** The grammar of filters as clients write it: as JSON in a body, as JSON text in an address, a form or a command. */
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import {
  comparisons,
  type Comparison,
  connectives,
  documentFields,
  type Filter,
  filterLeavesMax,
  filterLevelsMax,
  type LeafFilter,
} from '../../search/filters.ts';
import { scalarFault } from '../../tasks/given.ts';
import { unknownName } from './nearest-name.ts';
import { parseStrictJson } from './strict-json.ts';
import { checkedBy, describedAs } from './checked.ts';

/** Values of `in` and `nin`. */
const listMax = 1000;
const keyCharactersMax = 1024;

/** @throws AppError `invalid_request`, saying what is wrong and what to write. */
function readFilter(value: unknown): Filter {
  const counted = { leaves: 0 };
  return readLevel(value, 0, counted);
}

/** The JSON text of a filter, as addresses carry it. @throws AppError `invalid_request`. */
function readFilterText(text: string): Filter {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw wrong(`is not valid as JSON, such as {"type":"eq","key":"year","value":2024}: ${error.message}`);
  }
  return readFilter(value);
}

function readLevel(value: unknown, level: number, counted: { leaves: number }): Filter {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('a filter must be an object, such as {"type": "eq", "key": "year", "value": 2024}');
  const { type, ...rest } = value as Record<string, unknown>;
  if (connectives.some((one) => one === type)) return readConnective(type as 'and' | 'or' | 'not', rest, level, counted);
  if (comparisons.some((one) => one === type)) return readLeaf(type as Comparison, rest, counted);
  if (typeof type !== 'string') throw wrong('a filter needs a `type`, such as "eq" or "and"');
  throw wrong(unknownName('type', type, [...comparisons, ...connectives]));
}

function readConnective(
  type: 'and' | 'or' | 'not',
  rest: Record<string, unknown>,
  level: number,
  counted: { leaves: number },
): Filter {
  const { filters } = rest;
  refuseOthers(rest, ['filters']);
  if (!Array.isArray(filters) || filters.length === 0)
    throw wrong(`\`${type}\` needs a list \`filters\` with at least one filter in it`);
  if (level === filterLevelsMax) throw wrong(`\`and\`, \`or\` and \`not\` may be nested at most ${filterLevelsMax} levels deep`);
  return { type, filters: filters.map((inner) => readLevel(inner, level + 1, counted)) };
}

function readLeaf(type: Comparison, rest: Record<string, unknown>, counted: { leaves: number }): Filter {
  refuseOthers(rest, ['key', 'value']);
  counted.leaves += 1;
  if (counted.leaves > filterLeavesMax) throw wrong(`at most ${filterLeavesMax} comparisons are allowed`);
  const { key } = rest;
  if (typeof key !== 'string' || key === '' || key.length > keyCharactersMax || !key.isWellFormed() || key.includes('\0'))
    throw wrong(`\`${type}\` needs a \`key\`: the name of a metadata member, or a field such as $filename`);
  if (key.startsWith('$') && !documentFields.some((field) => `$${field}` === key))
    throw wrong(
      unknownName(
        'key',
        key,
        documentFields.map((field) => `$${field}`),
      ),
    );
  const value = readValue(type, rest['value']);
  return { type, key, value: key === '$inserted_at' ? atTime(type, value) : value };
}

function readValue(type: Comparison, value: unknown): LeafFilter['value'] {
  switch (type) {
    case 'in':
    case 'nin':
      if (!Array.isArray(value) || value.length === 0 || value.length > listMax)
        throw wrong(`\`${type}\` needs a list of 1 to ${listMax} values`);
      return value.map((item) => readScalar(type, item));
    case 'exists':
      if (value !== undefined && typeof value !== 'boolean') throw wrong('`exists` takes true or false');
      return value ?? true;
    case 'prefix':
      if (typeof value !== 'string') throw wrong('`prefix` compares with a string');
      return readScalar(type, value);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      if (typeof value !== 'string' && typeof value !== 'number')
        throw wrong(`\`${type}\` compares with a number or a string; dates are ISO 8601 strings`);
      return readScalar(type, value);
    default:
      return readScalar(type, value);
  }
}

function readScalar(type: Comparison, value: unknown): string | number | boolean | null {
  if (value === undefined) throw wrong(`\`${type}\` needs a \`value\``);
  const fault = scalarFault(value);
  if (fault !== null) throw wrong(`the value of \`${type}\` ${fault}`);
  return value as string | number | boolean | null;
}

/** Times are stored in UTC with milliseconds, and compared as text: the same moment is to be the same text. */
function atTime(type: Comparison, value: LeafFilter['value']): LeafFilter['value'] {
  if (type === 'exists' || type === 'prefix') return value;
  const bound = type === 'gte' || type === 'lt' ? 'after' : 'before';
  const one = (time: unknown): string => {
    if (typeof time !== 'string' || !isoTime.test(time) || Number.isNaN(Date.parse(time)))
      throw wrong('$inserted_at compares with a date or a time in ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z');
    return toUtc(time, bound);
  };
  return Array.isArray(value) ? value.map(one) : one(value);
}

const isoTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const firstTime = '0000-01-01T00:00:00.000Z';
const lastTime = '9999-12-31T23:59:59.999Z';

/**
 * Times are stored in UTC with milliseconds and compared as text, so that one whose offset leads out of the years of four digits is
 * the first or the last that there is. What lies between two milliseconds is later than the first of them.
 */
export function toUtc(time: string, bound: 'after' | 'before'): string {
  const isBetween = bound === 'after' && /\.\d{3}\d*[1-9]/.test(time);
  const at = Date.parse(time) + (isBetween ? 1 : 0);
  if (at < Date.parse(firstTime)) return firstTime;
  return at > Date.parse(lastTime) ? lastTime : new Date(at).toISOString();
}

function refuseOthers(rest: Record<string, unknown>, known: readonly string[]): void {
  const other = Object.keys(rest).find((name) => !known.includes(name));
  if (other !== undefined) throw wrong(unknownName('member of a filter', other, ['type', ...known]));
}

function wrong(sentence: string): AppError {
  return new AppError('invalid_request', sentence);
}

const leafShape = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: comparisons },
    key: { type: 'string', minLength: 1, maxLength: keyCharactersMax },
    value: {
      description: 'A string, a number, a boolean or null; a list of those for `in` and `nin`; true or false for `exists`.',
    },
  },
  required: ['type', 'key'],
};

function shapeOf(levels: number): object {
  if (levels === 0) return leafShape;
  const properties = {
    type: { type: 'string', enum: connectives },
    filters: { type: 'array', minItems: 1, items: shapeOf(levels - 1) },
  };
  return { anyOf: [leafShape, { type: 'object', properties, required: ['type', 'filters'] }] };
}

const description =
  'Comparisons (`{"type": "eq", "key": "year", "value": 2024}`: eq, ne, gt, gte, lt, lte, in, nin, contains, exists, prefix) and ' +
  '`{"type": "and|or|not", "filters": [...]}`, 3 levels and 64 comparisons at most. A key is a member of the metadata, or ' +
  `${documentFields.map((field) => `$${field}`).join(', ')}. Types are compared strictly; what does not match is not found.`;

/** A filter in a body. */
export const filterSchema: z.ZodType<Filter, unknown> = checkedBy<Filter, unknown>(z.unknown(), readFilter).meta({
  id: 'Filter',
  description,
  ...describedAs(shapeOf(filterLevelsMax)),
});

/** A filter in an address or a form. */
export const filterText: z.ZodType<Filter, string> = checkedBy<Filter, string>(z.string(), readFilterText).meta({
  description: `A filter as JSON, percent-encoded. ${description}`,
  example: '{"type":"eq","key":"year","value":2024}',
  ...describedAs({ type: 'string' }),
});
