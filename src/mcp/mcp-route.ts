/** POST /mcp: behind the same checks of Host, Origin, key and rate as every route. */
import type { Context } from 'koa';
import { finished } from 'node:stream';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { watchOf } from '../http/upload/body-watch.ts';
import type { Principal } from '../http/access/access.ts';
import type { HttpLimits } from '../http/http-settings.ts';
import type { Services } from '../http/services.ts';
import { readJsonBody } from '../http/wire/json-body.ts';
import { route, type Route } from '../http/routes/route.ts';
import { askedCollection } from '../http/access/asked-collection.ts';
import { createSlots, type Slots } from '../http/access/slots.ts';
import * as schemas from '../http/wire/schemas.ts';
import type { WireOptions } from '../http/wire/wire.ts';
import type { McpHandler } from './mcp-handler.ts';

export type McpRouteOptions = {
  readonly handle: McpHandler;
  readonly wire: WireOptions;
  readonly limits: HttpLimits;
  /** Largest document that may come this way; it is held in memory. Larger ones go to POST /insert. */
  readonly documentBytesMax: number;
};

/** Requests at work at once; one that has not come in yet is none. */
const workOf = { perClientMax: 32, max: 256 };
/** Bytes of requests in memory, whether all of a request is there or not. */
const bytesOf = { perClientMax: 48 * 1024 * 1024, max: 192 * 1024 * 1024 };
const base64Growth = 4 / 3;
const envelopeBytes = 64 * 1024;

const version = z.literal('2.0');
const id = z.union([z.string(), z.int()]);
const jsonRpcMessage = z
  .looseObject({ jsonrpc: version, id: id.optional(), method: z.string(), params: z.looseObject({}).optional() })
  .meta({ id: 'JsonRpcMessage', description: 'A request, or without `id` a notification. The SDK reads it; this is its outline.' });
const jsonRpcAnswer = z
  .looseObject({
    jsonrpc: version,
    id: id.nullable().optional(),
    result: z.looseObject({}).optional(),
    error: z.looseObject({ code: z.int(), message: z.string() }).optional(),
  })
  .meta({ id: 'JsonRpcAnswer' });

export function mcpRoute({ handle, wire, limits, documentBytesMax }: McpRouteOptions): Route {
  const bytesMax = Math.ceil(documentBytesMax * base64Growth) + envelopeBytes;
  const work = createSlots(workOf);
  const memory = createSlots(bytesOf);
  return route({
    operation: 'mcp',
    method: 'POST',
    path: '/mcp',
    scope: 'read',
    tag: 'system',
    summary:
      'Model Context Protocol (streamable HTTP, without sessions): tools to insert, follow, cancel, list, search, read and delete documents.',
    query: z.object({
      collection: schemas.collectionName.optional().meta({ description: 'The collection for tools and resources that name none.' }),
    }),
    body: { kind: 'message', schema: jsonRpcMessage },
    answers: {
      200: { description: 'The response.', json: jsonRpcAnswer },
      202: { description: 'Accepted.', empty: true },
      400: { description: 'A problem, or a message that is not understood.', json: jsonRpcAnswer },
    },
    problems: ['bad_request', 'unsupported_media_type', 'body_too_large', 'rate_limited', 'not_found', 'invalid_request'],
    async handle({ ctx, query, services, principal: asking, requestId, signal, asker, audit }) {
      const principal = query.collection === undefined ? asking : await about(query.collection, { services, principal: asking });
      const held = holdMemory(memory, asker.client);
      let streams = false;
      try {
        const body = await readJson(ctx, { bytesMax, limits, held });
        held.add(work.take(asker.client));
        const headers = { ...ownHeaders, ...protocolVersion(ctx) };
        const reply = await handle({ headers, body, requestId, services, principal, wire, documentBytesMax, signal, asker, audit });
        ctx.status = reply.status;
        ctx.set({ ...reply.headers });
        ctx.body = reply.body === '' ? null : reply.body;
        if (reply.body === '') ctx.status = reply.status;
        if (typeof reply.body !== 'string') {
          streams = true;
          finished(reply.body, () => held.release());
        }
      } finally {
        if (!streams) held.release();
      }
    },
  });
}

/** The caller, with a collection in the place of its own one. @throws AppError `not_found`. */
async function about(collection: string, call: { services: Services; principal: Principal }): Promise<Principal> {
  return { ...call.principal, home: await askedCollection(call, collection) };
}

/** What the SDK insists on; a client that accepts less is answered with JSON all the same. */
const ownHeaders = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

function protocolVersion(ctx: Context): Record<string, string> {
  const version = ctx.get('MCP-Protocol-Version');
  return version === '' ? {} : { 'mcp-protocol-version': version };
}

/** What one request holds; all of it is given back together. */
type Held = {
  /** @throws AppError `rate_limited` when there was nothing left to take. */
  add(taken: (() => void) | null): void;
  bytes(amount: number): void;
  release(): void;
};

function holdMemory(memory: Slots, client: string): Held {
  const releases: (() => void)[] = [];
  let released = false;
  const add = (taken: (() => void) | null): void => {
    if (taken === null)
      throw new AppError('rate_limited', 'Too many MCP requests at once; try again in a moment.', { retryAfterSeconds: 1 });
    // What still comes of a request that was given up is not kept.
    if (released) taken();
    else releases.push(taken);
  };
  return {
    add,
    bytes: (amount) => add(memory.take(client, amount)),
    release() {
      released = true;
      for (const release of releases) release();
    },
  };
}

type Reading = { readonly bytesMax: number; readonly limits: HttpLimits; readonly held: Held };

function readJson(ctx: Context, { bytesMax, limits, held }: Reading): Promise<unknown> {
  const watch = watchOf(ctx.req, limits);
  // A document may come in slowly; a question may not.
  if (Number(ctx.get('Content-Length') || Infinity) > limits.jsonBytesMax) watch.byRate({ givesWay: true });
  return readJsonBody(ctx, { bytesMax, accept: () => {}, failed: watch.failed, take: (bytes) => held.bytes(bytes) });
}
