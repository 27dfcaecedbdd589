/** What to say of a value that a schema does not take: what it must be, in words of a person. The name of the field stands before it. */
import type { z } from 'zod';

/** A sentence without its subject, such as `must be a number`; undefined where the schema says it itself. */
export function whatItMustBe(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kindOf(issue.expected)}`;
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the required form';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return ofUnion(issue.errors);
    case 'invalid_key':
      return 'has a name that is not allowed';
    case 'invalid_element':
      return 'has a value that is not allowed';
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  tuple: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function kindOf(expected: string): string {
  return kinds[expected] ?? 'of another kind';
}

const formats: Readonly<Record<string, string>> = {
  datetime: 'must be a time with a time zone, such as 2026-03-15T10:00:00Z',
  date: 'must be a date, such as 2026-03-15',
  url: 'must be an address, such as https://example.org/hook',
  uuid: 'must be an id, such as 019b0e5a-7c1e-7000-8000-000000000000',
  base64: 'must be base64',
};

function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)!}`;
}

function bound(origin: string, limit: number | bigint, comparison: string): string {
  if (origin === 'string') return `must have ${comparison} ${limit} characters`;
  if (origin === 'array' || origin === 'set' || origin === 'object') return `must have ${comparison} ${limit} members`;
  return `must be ${comparison} ${limit}`;
}

/** Where it is of no kind that is taken: all of them. Else what is wrong with the kind that it is. */
function ofUnion(branches: readonly (readonly z.core.$ZodIssue[])[]): string | undefined {
  const firsts = branches.map(([first]) => first).filter((first) => first !== undefined);
  const isKind = (first: z.core.$ZodIssue): boolean => first.code === 'invalid_type' && first.path.length === 0;
  const closer = firsts.find((first) => !isKind(first));
  if (closer !== undefined) return closer.path.length === 0 ? closer.message : `${closer.path.join('.')}: ${closer.message}`;
  const wanted = firsts.map((first) => (first.code === 'invalid_type' ? kindOf(first.expected) : ''));
  return wanted.length === 0 ? undefined : `must be ${oneOf([...new Set(wanted)])}`;
}
