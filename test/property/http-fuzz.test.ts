/**
 * R17: requests made from our own OpenAPI, valid ones and broken ones, and broken forms. Nothing may answer 5xx, end the
 * process, leave a file behind, or answer what the description does not say. `npm run fuzz:http` is the long form: 500 valid and 500
 * broken requests for each operation, 3,000 forms, and a table of what they were answered, with services in memory and on every engine.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { engines } from '../support/engines.ts';
import { type FuzzTarget, inMemory, onEngine } from '../support/fuzz-targets.ts';
import { deliveryId } from '../support/optional-routes.ts';
import { checker, fitting, type Components, type JsonSchema } from '../support/json-schema.ts';

const shortRuns = 15;
const moreMax = 20;
const runs = Number(process.env.FUZZ_RUNS ?? shortRuns);
const formRuns = Number(process.env.FUZZ_FORMS ?? 300);

type Parameter = { in: 'query' | 'path' | 'header'; name: string; required?: boolean; schema: JsonSchema };
type Content = Record<string, { schema: JsonSchema }>;
type Operation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
};
type Request = { method: string; path: string; query: [string, string][]; headers: Record<string, string>; body: Body };
type Body = string | Uint8Array<ArrayBuffer> | FormData | null;

let server: FuzzTarget;
let components: Components;
type Described = { readonly method: string; readonly path: string; readonly operation: Operation };
let operations: Described[];
const checks = new Map<JsonSchema, (value: unknown) => void>();
type Kind = 'valid' | 'broken' | 'form';
/** How often each operation answered what, so that a fuzz that only ever sees 404 is noticed. */
const seen = new Map<string, { sent: Record<Kind, number>; statuses: Map<number, number> }>();

vi.setConfig({ testTimeout: 600_000 * Math.max(1, runs / shortRuns) });

const targets = [
  { name: 'services in memory', open: inMemory },
  ...(runs > shortRuns ? engines.map(({ name, open }) => ({ name, open: () => onEngine(open) })) : []),
];

async function putOne(bytes: number): Promise<void> {
  await fetch(`${server.url}/documents/a`, { method: 'PUT', body: 'x'.repeat(bytes) });
}

/** Beside the default one, which may not be deleted. */
async function putCollection(): Promise<void> {
  await fetch(`${server.url}/collections/kept`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' });
}

describe.each(targets)('with $name', ({ open }) => {
  beforeAll(async () => {
    seen.clear();
    server = await open();
    for (let bytes = 1; bytes <= 30; bytes += 1) await putOne(bytes);
    type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Components } };
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
    components = document.components.schemas;
    checks.clear();
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    if (runs > shortRuns) console.log(table());
  });

  describe('every operation of our own description', () => {
    it('takes requests that fit it, and answers what it says', async () => {
      const valid = (chosen: readonly Described[]) =>
        fc.asyncProperty(oneOfEach(chosen, validRequest), async (requests) => {
          for (const { request, operation } of requests) {
            const { status } = await send('valid', request, operation);
            expect(status, JSON.stringify(request.query)).not.toBe(405);
          }
        });
      const neverGood = (): string[] =>
        [...seen].flatMap(([name, { statuses }]) =>
          !server.hopeless.includes(name) && Math.min(...statuses.keys()) >= 400 ? [name] : [],
        );
      await fc.assert(valid(operations), { numRuns: runs });
      // Of few requests none may have named what is there, or a word that a text has: those few are made again.
      for (let more = 0; more < moreMax && neverGood().length > 0; more += 1) {
        const missed = neverGood();
        // The one that is guessed may be deleted by now, and those that put it there are not asked again.
        await putOne(1);
        await putCollection();
        await fc.assert(valid(operations.filter(({ operation }) => missed.includes(operation.operationId))), { numRuns: 4 * runs });
      }
      expect(neverGood().map((name) => [name, [...seen.get(name)!.statuses]])).toEqual([]);
    });

    it('refuses broken requests with the problems it says, and never with a 5xx', async () => {
      await fc.assert(
        fc.asyncProperty(oneOfEach(operations, brokenRequest), async (requests) => {
          for (const { request, operation } of requests) await send('broken', request, operation);
        }),
        { numRuns: runs },
      );
    });
  });

  describe('a form', () => {
    const boundary = 'fuzz';
    const valid = Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a":1}\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="报告.txt"; filename*=UTF-8''%E6%8A%A5\r\n` +
        `Content-Type: text/plain\r\n\r\nhello\r\n--fuz\r\n--${boundary}x\r\n\r\n--${boundary}--\r\n`,
    );

    it('that is cut, doubled, shuffled or littered gets a 2xx or a documented 4xx, and leaves no file without a task', async () => {
      const insert = operations.find(({ operation }) => operation.operationId === 'insert')!;

      await fc.assert(
        fc.asyncProperty(fc.array(mutation(), { minLength: 1, maxLength: 4 }), async (mutations) => {
          const body = mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), valid);
          await send(
            'form',
            {
              method: 'POST',
              path: '/insert',
              query: [['doc_id', 'fuzz']],
              headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
              body: Uint8Array.from(body),
            },
            insert.operation,
          );
        }),
        { numRuns: formRuns },
      );

      expect(await server.leftovers()).toEqual([]);
    });

    function mutation(): fc.Arbitrary<(bytes: Buffer) => Buffer> {
      const at = fc.double({ min: 0, max: 1, noNaN: true });
      const litter = fc.oneof(
        fc.constantFrom(
          '\r\n',
          '\r',
          '\n',
          '--fuzz',
          '\r\n--fuzz',
          '\r\n--fuzz--',
          '\r\n\r\n',
          '"',
          ';',
          '\0',
          '\\"',
          'filename*=',
          "''%",
        ),
        fc.string({ unit: 'binary', maxLength: 10 }),
      );
      const index = (bytes: Buffer, place: number): number => Math.floor(place * bytes.length);
      return fc.oneof(
        fc.tuple(at, litter).map(([place, text]) => (bytes: Buffer) => {
          return Buffer.concat([bytes.subarray(0, index(bytes, place)), Buffer.from(text), bytes.subarray(index(bytes, place))]);
        }),
        at.map((place) => (bytes: Buffer) => bytes.subarray(0, index(bytes, place))),
        fc.tuple(at, at).map(([from, to]) => (bytes: Buffer) => {
          return Buffer.concat([bytes.subarray(0, index(bytes, from)), bytes.subarray(index(bytes, to))]);
        }),
        fc.tuple(at, fc.nat(255)).map(([place, byte]) => (bytes: Buffer) => {
          const changed = Buffer.from(bytes);
          if (changed.length > 0) changed[Math.min(changed.length - 1, index(bytes, place))] = byte;
          return changed;
        }),
      );
    }
  });

  describe('after all of it', () => {
    it('the server answers, nothing was logged as an error, and no prototype was polluted [S34]', async () => {
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      expect(server.errors()).toEqual([]);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
    });
  });
});

/** What a library says of a value tells programmers what it expected, and nobody what to do. */
const sentenceOfSchemas =
  /Invalid (?:input|option|string|key|element|enum|ISO|UUID|URL|email)|Too (?:small|big):|[Ee]xpected \w+, received|Unrecognized key/;

/** One request for each of these operations, in any order, so that they meet what others have left. */
function oneOfEach(
  chosen: readonly Described[],
  build: (method: string, path: string, operation: Operation) => fc.Arbitrary<Request>,
): fc.Arbitrary<{ request: Request; operation: Operation }[]> {
  const all = chosen.map((_, index) => index);
  const requests = fc.tuple(
    ...chosen.map(({ method, path, operation }) => build(method, path, operation).map((request) => ({ request, operation }))),
  );
  const order = fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  return fc.tuple(requests, order).map(([made, indexes]) => indexes.map((index) => made[index]!));
}

/** Sends a request and holds its answer against the description. */
async function send(kind: Kind, request: Request, operation: Operation): Promise<{ status: number }> {
  const { method, path, query, headers, body } = request;
  const url = `${server.url}${path}?${new URLSearchParams(query).toString()}`;
  const stop = new AbortController();
  const init: RequestInit = { method, headers, signal: stop.signal, redirect: 'manual' };
  const answer = await fetch(url, body === null ? init : { ...init, body });
  const type = answer.headers.get('content-type') ?? '';
  note(kind, operation, answer.status);
  const what = `${method} ${path} ${JSON.stringify(query)} -> ${answer.status}`;
  if (type.startsWith('text/event-stream')) {
    stop.abort();
    return { status: answer.status };
  }
  const text = await answer.text();
  server.see(text);
  expect(answer.status, `${what} ${text}`).toBeLessThan(500);
  if (answer.status >= 400) expect(text, what).not.toMatch(sentenceOfSchemas);
  if (answer.status === 405) return { status: 405 };
  expect(Object.keys(operation.responses), `${what} ${text}`).toContain(String(answer.status));
  // Interfaces of others have problems of their own shape; that it is the one they say, `checkBody` sees.
  const isOfOthers = /^(?:mcp|openAi.*|retrieveForDify)$/.test(operation.operationId);
  if (answer.status >= 400 && !isOfOthers) expect(type, what).toBe('application/problem+json');
  if (method !== 'HEAD' && answer.status !== 204 && answer.status !== 304) checkBody(operation, answer.status, type, text, what);
  return { status: answer.status };
}

function note(kind: Kind, { operationId }: Operation, status: number): void {
  const counts = seen.get(operationId) ?? { sent: { valid: 0, broken: 0, form: 0 }, statuses: new Map<number, number>() };
  counts.sent[kind] += 1;
  counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
  seen.set(operationId, counts);
}

function table(): string {
  const rows = [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { sent, statuses }]) => {
      const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status} × ${count}`);
      return `${name.padEnd(18)} ${[sent.valid, sent.broken, sent.form].map((count) => String(count).padStart(6)).join('')}  ${answers.join(', ')}`;
    });
  return ['operation           valid broken forms  answers', ...rows].join('\n');
}

function checkBody(operation: Operation, status: number, type: string, text: string, what: string): void {
  const content = operation.responses[String(status)]!.content ?? {};
  const schema = content[type.split(';')[0]!]?.schema;
  if (!type.includes('json')) return;
  expect(schema, `${what} is not described as ${type}`).toBeDefined();
  const check = checks.get(schema!) ?? checker(schema!, components);
  checks.set(schema!, check);
  check(JSON.parse(text));
}

function validRequest(method: string, path: string, operation: Operation): fc.Arbitrary<Request> {
  const parameters = operation.parameters ?? [];
  return fc
    .record({
      values: fc.tuple(...parameters.map((parameter) => fc.option(parameterValue(parameter), { nil: undefined, freq: 3 }))),
      required: fc.tuple(...parameters.map(parameterValue)),
      body: validBody(operation),
    })
    .map(({ values, required, body }) => {
      const request: Request = { method, path, query: [], headers: { ...body.headers }, body: body.body };
      parameters.forEach((parameter, index) => {
        const value = values[index] ?? (parameter.required === true || parameter.in === 'path' ? required[index] : undefined);
        if (value !== undefined) place(request, parameter, value);
      });
      return request;
    });
}

/** A valid request with one or more things wrong in it. */
function brokenRequest(method: string, path: string, operation: Operation): fc.Arbitrary<Request> {
  const junk = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      '',
      '\0',
      '../../etc/passwd',
      '__proto__',
      'x'.repeat(3000),
      '-1',
      '1e999',
      'NaN',
      '\ud800',
      '%00',
      "' OR 1=1 --",
      '${7*7}',
      '<script>',
    ),
  );
  const breakage = fc.oneof(
    fc.tuple(fc.nat(10), junk).map(([at, value]) => (request: Request) => {
      const parameter = operation.parameters?.[at % (operation.parameters.length || 1)];
      if (parameter !== undefined) place(request, parameter, value);
    }),
    fc.tuple(junk, junk).map(
      ([name, value]) =>
        (request: Request) =>
          void request.query.push([name, value]),
    ),
    fc.nat(5).map((at) => (request: Request) => void request.query.splice(at, 1)),
    fc.nat(5).map((at) => (request: Request) => {
      if (request.query.length > 0) request.query.push(request.query[at % request.query.length]!);
    }),
    fc
      .tuple(
        fc.constantFrom(
          'content-type',
          'prefer',
          'idempotency-key',
          'if-none-match',
          'last-event-id',
          'range',
          'accept',
          'x-request-id',
          'authorization',
          'cookie',
          'content-disposition',
          'x-forwarded-for',
          'content-encoding',
          'content-digest',
          'content-range',
          'if-match',
          'if-modified-since',
          'x-http-method-override',
        ),
        fc.oneof(
          junk,
          fc.constantFrom(
            'multipart/form-data',
            'multipart/form-data; boundary=b',
            'application/json',
            'text/plain',
            '*',
            'gzip',
            'br',
            'sha-256=:AAAA:',
            'bytes=0-1',
            'bytes 0-1/2',
          ),
        ),
      )
      .map(
        ([name, value]) =>
          (request: Request) =>
            void (request.headers[name] = headerValue(value)),
      ),
    fc.oneof(junk, fc.json(), fc.constant(null)).map((body) => (request: Request) => {
      if (request.method !== 'GET') request.body = body?.toWellFormed() ?? null;
    }),
  );
  return fc
    .tuple(validRequest(method, path, operation), fc.array(breakage, { minLength: 1, maxLength: 3 }))
    .map(([request, breakages]) => {
      for (const apply of breakages) apply(request);
      return request;
    });
}

function parameterValue({ name, schema, ...parameter }: Parameter): fc.Arbitrary<string | string[]> {
  if (name === 'prefer') return fc.constantFrom('respond-async', 'wait=0', 'respond-async, wait=0');
  if (name === 'wait') return fc.constant('0');
  if (name === 'idempotency-key') return fc.uuid();
  if (name === 'callback_url') return fc.webUrl();
  if (name === 'id') return fc.constantFrom(deliveryId, 'msg_unknown');
  const fits = fitting(schema, components);
  const docId = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('a', '报告', 'c/d') }, { weight: 1, arbitrary: fits });
  const store = fc.oneof(knownCollection, fits);
  const named: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    task_id: fc.oneof(knownTask(), knownTask(), fits),
    doc_id: docId,
    vector_store_id: store,
    confirm: store,
    name: parameter.in === 'path' ? store : fits,
  };
  const value = named[name] ?? fits;
  if (parameter.in === 'path') return value.map(String).filter((text) => text !== '' && text !== '.' && text !== '..');
  return value.map((found) => (Array.isArray(found) ? found.map(String) : String(found)));
}

/** The default one, and the one that may be deleted. */
const knownCollection = fc.constantFrom('default', 'kept');

/** A task that is there, of the moment when the request is made. */
function knownTask(): fc.Arbitrary<string> {
  return fc.nat().map((choice) => server.task(choice) ?? 'none');
}

function validBody({ operationId, requestBody }: Operation): fc.Arbitrary<{ body: Body; headers: Record<string, string> }> {
  const content = requestBody?.content ?? {};
  if (content['application/json'] !== undefined) {
    const fits = fitting(content['application/json'].schema, components);
    const sayings: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
      mcp: fc.oneof(fits, mcpMessage()),
      retrieveForDify: fc.oneof(
        fits,
        fc.tuple(fits, knownCollection).map(([body, name]) => ({ ...(body as object), knowledge_id: name })),
      ),
    };
    return (sayings[operationId] ?? fits).map((value) => ({
      body: JSON.stringify(value),
      headers: { 'content-type': 'application/json' },
    }));
  }
  const file = fc.uint8Array({ maxLength: 25_000 }).map((bytes) => new Uint8Array(bytes));
  if (content['multipart/form-data'] !== undefined)
    return fc
      .record({
        file,
        name: fc.string({ unit: 'grapheme', maxLength: 30 }),
        metadata: fc.option(fitting(components.Metadata!, components)),
      })
      .map(({ file: bytes, name, metadata }) => {
        const form = new FormData();
        if (metadata !== null) form.append('metadata', JSON.stringify(metadata));
        form.append('file', new Blob([bytes]), name.toWellFormed());
        return { body: form, headers: {} };
      });
  if (requestBody !== undefined) return file.map((body) => ({ body, headers: { 'content-type': 'application/octet-stream' } }));
  return fc.constant({ body: null, headers: {} });
}

/** What a client of the SDK says. */
function mcpMessage(): fc.Arbitrary<object> {
  const calls = [
    { name: 'search', arguments: { query: 'x' } },
    { name: 'get_task', arguments: { task_id: 'unknown' } },
    { name: 'get_document', arguments: { doc_id: 'a' } },
    { name: 'insert_document', arguments: { doc_id: 'mcp', filename: 'a.txt', text: 'text', wait_seconds: 0 } },
    { name: 'insert_document', arguments: { doc_id: 'mcp' } },
  ];
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } };
  const message = (method: string, params: object): object => ({ jsonrpc: '2.0', id: 1, method, params });
  return fc.constantFrom(
    message('initialize', initialize),
    message('tools/list', {}),
    ...calls.map((call) => message('tools/call', call)),
    { jsonrpc: '2.0', method: 'notifications/initialized' },
  );
}

function place(request: Request, parameter: Parameter, value: string | string[]): void {
  const { name } = parameter;
  if (parameter.in === 'path')
    request.path = request.path.replace(`{${name}}`, encodeURIComponent([value].flat()[0]!.toWellFormed()));
  else if (parameter.in === 'header') request.headers[name] = headerValue([value].flat()[0]!);
  else
    request.query = [
      ...request.query.filter(([other]) => other !== name),
      ...[value].flat().map((one): [string, string] => [name, one]),
    ];
}

/** What fetch lets through as a header. */
function headerValue(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
