/** OpenAPI 3.1 of every route, made from the route table and the schemas that validate requests. */
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import { z } from 'zod';
import type { RequestErrorCode } from '../../errors.ts';
import { examples } from './examples.ts';
import { mergePatch } from './json-body.ts';
import { statusOf } from './problem.ts';
import type { Answer, RequestBody, Route } from '../routes/route.ts';
import * as schemas from './schemas.ts';
import { givenFields } from './given.ts';

/** Problems that any route may answer. */
const everywhere: readonly RequestErrorCode[] = [
  'bad_request',
  'invalid_request',
  'request_timeout',
  'body_too_large',
  'expectation_failed',
  'precondition_failed',
  'misdirected',
  'rate_limited',
  'quota_exceeded',
  'internal',
];

const tagDescriptions: Readonly<Record<Route['tag'], string>> = {
  insert: 'Uploading documents.',
  tasks: 'Following, cancelling and retrying what was uploaded.',
  documents: 'Searchable documents: lists, texts, original files.',
  collections: 'Documents of one purpose, with their own settings, figures and access.',
  search: 'Finding chunks, with citations.',
  system: 'For administrators.',
  page: 'The web page and its login.',
  openai: "Files and vector stores as OpenAI's own client libraries use them.",
};

/** Either of them will do; a route that is public says that none is needed. */
const withKey = [{ bearer: [] }, { apiKey: [] }];
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
} as const;

/** `basePath`: where the server is, as its clients see it. */
export function createOpenApi(routes: readonly Route[], options: { version: string; basePath: string; withKeys: boolean }): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, options.withKeys) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'RAG intake',
      version: options.version,
      description: 'Documents in, answers with page-true citations out. Errors are problem documents (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: options.basePath || '/' }],
    tags: usedTags(routes).map((name) => ({ name, description: tagDescriptions[name] })),
    security: options.withKeys ? withKey : [],
    paths,
    ...(options.withKeys ? { components: { securitySchemes } } : {}),
  });
}

function usedTags(routes: readonly Route[]): Route['tag'][] {
  return [...new Set(routes.map(({ tag }) => tag))];
}

/** Every status that a route may answer with a problem. */
export function problemStatuses(route: Route): readonly number[] {
  const codes: RequestErrorCode[] = [...everywhere, ...(route.problems ?? [])];
  if (route.method !== 'GET') codes.push('forbidden');
  if (route.scope !== 'public') codes.push('unauthorized', 'forbidden');
  if (route.needsServices !== false) codes.push('unavailable');
  return [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
}

function operation(route: Route, withKeys: boolean): ZodOpenApiOperationObject {
  return {
    operationId: route.operation,
    summary: route.summary,
    tags: [route.tag],
    ...(withKeys && route.scope === 'public' ? { security: [] } : {}),
    'x-scope': route.scope,
    requestParams: {
      ...(route.params === undefined ? {} : { path: route.params as z.ZodObject }),
      ...(route.query === undefined ? {} : { query: route.query as z.ZodObject }),
      ...(route.requestHeaders === undefined ? {} : { header: route.requestHeaders }),
    },
    ...(route.body === undefined ? {} : { requestBody: requestBody(route) }),
    responses: responses(route),
  };
}

function requestBody({ body, method }: Route): NonNullable<ZodOpenApiOperationObject['requestBody']> {
  if (body!.kind === 'json' || body!.kind === 'message') {
    const content = withExample(body!.schema);
    return { required: true, content: { 'application/json': content, ...(method === 'PATCH' ? { [mergePatch]: content } : {}) } };
  }
  if (body!.kind === 'lines')
    return { required: true, content: { 'application/x-ndjson': withExample(body!.schema), [body!.orFile]: { schema: binary } } };
  if (body!.kind === 'file') return { required: true, content: { 'application/octet-stream': { schema: binary } } };
  const { fileField = 'file', fields = givenFields } = body as Extract<RequestBody, { kind: 'multipart' }>;
  const form = z.strictObject({ [fileField]: binary, ...fields, password: schemas.documentPassword.optional() });
  return { required: true, content: { 'multipart/form-data': { schema: form } } };
}

const binary = z.any().meta({ override: { type: 'string', format: 'binary' } });

type Content = { readonly schema: z.ZodType; readonly example?: unknown };

function problemContent({ problemSchema }: Route, status: number): Record<string, Content> {
  const content = status === 404 ? withExample(schemas.problemDocument) : { schema: schemas.problemDocument };
  // What is refused before it is known which interface is meant is a problem document.
  const theirs = problemSchema === undefined ? {} : { 'application/json': { schema: problemSchema } };
  return { ...theirs, 'application/problem+json': content };
}

function responses(route: Route): ZodOpenApiResponsesObject {
  const found: ZodOpenApiResponsesObject = {};
  for (const [status, answer] of Object.entries(route.answers))
    found[status as '200'] = { description: answer.description, ...content(answer) };
  for (const status of problemStatuses(route)) {
    const answer = route.answers[status];
    found[String(status) as '400'] = {
      description: answer?.description ?? 'A problem.',
      content: {
        ...(answer && content(answer).content),
        ...problemContent(route, status),
      },
    };
  }
  return found;
}

function withExample(schema: z.ZodType): Content {
  const example = examples[schema.meta()?.id ?? ''];
  return example === undefined ? { schema } : { schema, example };
}

function content(answer: Answer): { content?: Record<string, Content> } {
  if ('json' in answer) {
    const other = answer.or === undefined ? {} : { [answer.or]: { schema: z.string() } };
    return { content: { 'application/json': withExample(answer.json), ...other } };
  }
  return 'mediaType' in answer ? { content: { [answer.mediaType]: { schema: answer.schema ?? z.string() } } } : {};
}
