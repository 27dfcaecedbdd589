/** POST /mcp: behind the same checks of Host, Origin, key and rate as every route. */
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';
import { parseStrictJson } from '../http/strict-json.ts';
import type { WireOptions } from '../http/wire.ts';
import type { McpHandler } from './mcp-handler.ts';

export type McpRouteOptions = {
  readonly handle: McpHandler;
  readonly wire: WireOptions;
  /** Largest document that may come this way; it is held in memory. Larger ones go to POST /insert. */
  readonly documentBytesMax: number;
};

/** Requests held in memory at once. */
const requestsMax = 8;
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

export function mcpRoute({ handle, wire, documentBytesMax }: McpRouteOptions): Route {
  const bytesMax = Math.ceil(documentBytesMax * base64Growth) + envelopeBytes;
  let held = 0;
  return route({
    operation: 'mcp',
    method: 'POST',
    path: '/mcp',
    scope: 'read',
    tag: 'system',
    summary: 'Model Context Protocol (streamable HTTP, without sessions): tools to insert, follow, search and read documents.',
    body: { kind: 'message', schema: jsonRpcMessage },
    answers: {
      200: { description: 'The answer.', json: jsonRpcAnswer },
      202: { description: 'Taken note.', empty: true },
      400: { description: 'A problem, or a message that is not understood.', json: jsonRpcAnswer },
    },
    problems: ['bad_request', 'unsupported_media_type', 'body_too_large', 'rate_limited'],
    async handle({ ctx, services, principal, requestId, hurry }) {
      if (held >= requestsMax) throw new AppError('rate_limited', 'Too many MCP requests at once.', { retryAfterSeconds: 1 });
      held += 1;
      try {
        const body = await readJson(ctx, bytesMax);
        const headers = { ...ownHeaders, ...protocolVersion(ctx) };
        const reply = await handle({ headers, body, requestId, services, principal, wire, documentBytesMax, hurry });
        ctx.status = reply.status;
        ctx.set({ ...reply.headers });
        ctx.body = reply.body === '' ? null : reply.body;
        if (reply.body === '') ctx.status = reply.status;
      } finally {
        held -= 1;
      }
    },
  });
}

/** What the SDK insists on; a client that accepts less is answered with JSON all the same. */
const ownHeaders = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

function protocolVersion(ctx: Context): Record<string, string> {
  const version = ctx.get('MCP-Protocol-Version');
  return version === '' ? {} : { 'mcp-protocol-version': version };
}

async function readJson(ctx: Context, bytesMax: number): Promise<unknown> {
  if (!ctx.is('application/json')) throw new AppError('unsupported_media_type', 'Send JSON, as application/json.');
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of ctx.req.iterator({ destroyOnReturn: false })) {
    bytes += (piece as Buffer).length;
    if (bytes > bytesMax) throw new AppError('body_too_large', `The request is larger than ${bytesMax} bytes.`);
    pieces.push(piece as Buffer);
  }
  return parseStrictJson(Buffer.concat(pieces).toString('utf8'));
}
