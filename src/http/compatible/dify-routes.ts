/**
 * Dify's external knowledge (POST /retrieval): a collection as a knowledge base. Its request, answer and error codes are Dify's own
 * (https://docs.dify.ai/en/guides/knowledge-base/api-documentation/external-knowledge-api-documentation).
 */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Filter, LeafFilter } from '../../search/filters.ts';
import { AppError } from '../../errors.ts';
import { askedCollection } from '../access/asked-collection.ts';
import { route, type ProblemShape, type Route } from '../routes/route.ts';
import { type WireOptions, toHit } from '../wire/wire.ts';

const operators = [
  'contains',
  'not contains',
  'start with',
  'end with',
  'is',
  'is not',
  'in',
  'not in',
  'empty',
  'not empty',
  '=',
  '≠',
  '>',
  '<',
  '≥',
  '≤',
  'before',
  'after',
] as const;

const condition = z.strictObject({
  name: z.union([z.string(), z.array(z.string()).min(1).max(16)]),
  comparison_operator: z.enum(operators),
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()])).max(1000)]).nullish(),
});

const retrievalBody = z
  .strictObject({
    knowledge_id: z.string().min(1).max(64),
    query: z.string().min(1).max(2000),
    retrieval_setting: z.strictObject({
      top_k: z.int().min(1).max(100).default(10),
      score_threshold: z.number().min(0).max(1).nullish(),
    }),
    metadata_condition: z
      .strictObject({
        logical_operator: z.enum(['and', 'or']).nullish(),
        conditions: z.array(condition).max(64).nullish(),
      })
      .nullish(),
  })
  .meta({ id: 'DifyRetrieval' });

const retrievalReply = z
  .strictObject({
    records: z.array(
      z.strictObject({ content: z.string(), score: z.number(), title: z.string(), metadata: z.record(z.string(), z.unknown()) }),
    ),
  })
  .meta({ id: 'DifyRecords' });

const difyProblemSchema = z.strictObject({ error_code: z.int(), error_msg: z.string() }).meta({ id: 'DifyError' });

export function difyRoutes(wire: WireOptions): readonly Route[] {
  return [
    route({
      operation: 'retrieveForDify',
      method: 'POST',
      path: '/retrieval',
      scope: 'read',
      tag: 'search',
      summary: "Dify's external knowledge API: knowledge_id is a collection, score is the relevance.",
      body: { kind: 'json', schema: retrievalBody },
      answers: { 200: { description: 'The passages.', json: retrievalReply } },
      problems: ['bad_request', 'not_found', 'body_too_large', 'unsupported_media_type'],
      problemAs: difyProblem,
      problemSchema: difyProblemSchema,
      async handle(call) {
        const { ctx, body, services, asker } = call;
        const collection = await askedCollection(call, body.knowledge_id);
        const filters = filterOf(body.metadata_condition ?? null);
        const { top_k: topK, score_threshold: threshold } = body.retrieval_setting;
        const answer = await services.search.search(
          {
            query: body.query,
            mode: 'hybrid',
            topK,
            offset: 0,
            filter: filters === null ? {} : { filters },
            collections: [collection],
            ...(threshold == null || threshold === 0 ? {} : { minRelevance: threshold }),
          },
          asker,
        );
        call.audit({ event: 'search', collections: [collection], hits: answer.hits.length, query: body.query });
        ctx.body = { records: answer.hits.map((hit) => recordOf(toHit(hit, wire))) };
      },
    }),
  ];
}

function recordOf({ text, relevance, citation }: ReturnType<typeof toHit>): object {
  const { doc_id, filename, title, page, section, metadata, url } = citation;
  return {
    content: text,
    score: relevance,
    title: title ?? filename,
    metadata: { ...metadata, path: url, doc_id, filename, ...(page === null ? {} : { page }), section: section.join(' > ') },
  };
}

type Conditions = {
  logical_operator?: 'and' | 'or' | null | undefined;
  conditions?: readonly z.output<typeof condition>[] | null | undefined;
};

function filterOf(asked: Conditions | null): Filter | null {
  const conditions = asked?.conditions ?? [];
  if (conditions.length === 0) return null;
  return { type: asked?.logical_operator ?? 'and', filters: conditions.map(conditionFilter) };
}

/** A condition on several names holds where it holds for one of them. */
function conditionFilter({ name, comparison_operator: operator, value }: z.output<typeof condition>): Filter {
  const filters = [name].flat().map((key) => comparison(key, operator, value ?? null));
  return filters.length === 1 ? filters[0]! : { type: 'or', filters };
}

type Value = LeafFilter['value'];

function comparison(key: string, operator: (typeof operators)[number], value: Value): Filter {
  const leaf = (type: LeafFilter['type'], asked: Value = value): Filter => ({ type, key, value: asked });
  const not = (...filters: Filter[]): Filter => ({ type: 'not', filters });
  const any = (...filters: Filter[]): Filter => ({ type: 'or', filters });
  switch (operator) {
    case 'contains':
      return any(leaf('includes'), leaf('contains'));
    case 'not contains':
      return not(leaf('includes'), leaf('contains'));
    case 'start with':
      return leaf('prefix', String(value));
    case 'end with':
      return leaf('ends');
    case 'is':
    case '=':
      return any(...asWritten(value).map((one) => leaf('eq', one)));
    case 'is not':
    case '≠':
      return not(...asWritten(value).map((one) => leaf('eq', one)));
    case 'in':
      return leaf('in', listed(value));
    case 'not in':
      return not(leaf('in', listed(value)));
    case 'empty':
      return any(leaf('exists', false), leaf('eq', ''), leaf('eq', null));
    case 'not empty':
      return not(leaf('exists', false), leaf('eq', ''), leaf('eq', null));
    case '>':
      return leaf('gt', numberOf(key, value));
    case '<':
      return leaf('lt', numberOf(key, value));
    case '≥':
      return leaf('gte', numberOf(key, value));
    case '≤':
      return leaf('lte', numberOf(key, value));
    case 'before':
      return leaf('lt');
    case 'after':
      return leaf('gt');
  }
}

/** Dify's form gives text where the metadata may be a number or a truth value. */
function asWritten(value: Value): Value[] {
  if (typeof value !== 'string') return [value];
  const others: Value[] = value === 'true' || value === 'false' ? [value === 'true'] : [];
  return value.trim() !== '' && Number.isFinite(Number(value)) ? [value, Number(value), ...others] : [value, ...others];
}

function listed(value: Value): Value {
  const all = typeof value === 'string' ? value.split(',').map((item) => item.trim()) : [value].flat();
  return all.flatMap((one) => asWritten(one as Value)) as Value;
}

function numberOf(key: string, value: Value): number {
  const number = typeof value === 'number' ? value : Number(typeof value === 'string' && value.trim() !== '' ? value : Number.NaN);
  if (!Number.isFinite(number))
    throw new AppError('invalid_request', `metadata_condition: ${key} compares with a number; the value must be a number`);
  return number;
}

const codes: Readonly<Record<string, { code: number; status: number }>> = {
  unauthorized: { code: 1002, status: 403 },
  not_found: { code: 2001, status: 404 },
};

/** 1001: no Authorization header that could hold a key; 1002: another key; 2001: no such knowledge base; anything else has its HTTP status. */
export const difyProblem: ProblemShape = ({ code, status, detail }, request: IncomingMessage) => {
  const isMalformed = code === 'unauthorized' && !/^bearer +\S+ *$/i.test(request.headers.authorization ?? '');
  if (isMalformed) {
    const error_msg = 'Invalid Authorization header format. Expected format is `Bearer <api-key>`.';
    return { status: 403, body: { error_code: 1001, error_msg } };
  }
  const known = codes[code] ?? { code: status, status };
  const error_msg =
    code === 'not_found' ? 'The knowledge does not exist' : code === 'unauthorized' ? 'Authorization failed' : detail;
  return { status: known.status, body: { error_code: known.code, error_msg } };
};
