/** What a route is: one description from which routing, checks, scopes, tests and OpenAPI are all made. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { z } from 'zod';
import type { RequestErrorCode } from '../../errors.ts';
import type { AuditEvent } from '../live/audit-log.ts';
import type { Principal } from '../access/access.ts';
import type { Asker } from '../../search/turns.ts';
import type { Scope } from '../access/scope.ts';
import type { Problem } from '../wire/problem.ts';
import type { Services } from '../services.ts';

export type RequestBody<B extends z.ZodType = z.ZodType> =
  | { readonly kind: 'json'; readonly schema: B }
  /** The handler reads and checks it: JSON that may be larger than other bodies. */
  | { readonly kind: 'message'; readonly schema: z.ZodType }
  /** The handler reads it: NDJSON, each line of this schema; or a file of this media type. */
  | { readonly kind: 'lines'; readonly schema: z.ZodType; readonly orFile: string }
  /** The handler reads it: a multipart form with one part named `file`. */
  | { readonly kind: 'multipart'; readonly fileField?: string; readonly fields?: Readonly<Record<string, z.ZodType>> }
  /** The handler reads it: the bytes of a file. */
  | { readonly kind: 'file' };

export type Answer =
  /** With an error status: what may come instead of a problem document. */
  /** `or`: another type that it may come in, by `Accept`. */
  | { readonly description: string; readonly json: z.ZodType; readonly or?: string }
  /** `schema`: of each of its lines, where it has lines. */
  | { readonly description: string; readonly mediaType: string; readonly schema?: z.ZodType }
  | { readonly description: string; readonly empty: true };

/** The answer of routes with an ETag to a client that has this version already. */
export const notModified: Answer = { description: 'Nothing changed since `If-None-Match`.', empty: true };

/** One request, checked, on its way through a handler. */
export type Call<P, Q, B> = {
  readonly ctx: Context;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly services: Services;
  readonly principal: Principal;
  readonly requestId: string;
  /** Aborts when the client has gone or the server is stopping: answer now with what there is. */
  readonly signal: AbortSignal;
  /** Notes what was done for the audit log. */
  readonly audit: (event: AuditEvent) => void;
  /** Who asks, and whether the client is still there. */
  readonly asker: Asker;
};

export type RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = {
  /** The OpenAPI operationId; also the route's name in metrics. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for a parameter; a parameter never spans a raw slash. */
  readonly path: string;
  readonly scope: Scope;
  readonly tag: 'insert' | 'tasks' | 'documents' | 'collections' | 'search' | 'system' | 'page' | 'openai';
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  /** A page or its file, whose address may carry what others hang on to it; everywhere else an unknown parameter is refused. */
  readonly anyQuery?: boolean;
  /** What it is about has versions: the handler judges `If-Match` and its like. */
  readonly hasVersions?: boolean;
  readonly requestHeaders?: z.ZodObject;
  readonly body?: RequestBody<B>;
  /** The handler asks for the body itself, once it knows that it is wanted; else it is asked for before the handler runs. */
  readonly asksForBody?: boolean;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes of problems it answers beside those that any route may (400, 401, 403, 408, 413, 417, 421, 422, 429, 500, 503). */
  readonly problems?: readonly RequestErrorCode[];
  /** What the log says when it was done, for what somebody will ask about later; nothing for the rest. */
  readonly logged?: string;
  /** False for what answers while the service is still starting. */
  readonly needsServices?: boolean;
  /** Problems in the shape that the clients of this interface expect; by default problem documents. */
  readonly problemAs?: ProblemShape;
  /** What these look like. */
  readonly problemSchema?: z.ZodType;
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<void> | void;
};

/** A problem as an interface of others words it. `request`: what it was asked with. */
export type ProblemShape = (problem: Problem, request: IncomingMessage) => { readonly status: number; readonly body: object };

export type Route = RouteSpec<z.ZodType, z.ZodType, z.ZodType>;

/** A route with its handler typed by its own schemas. */
export function route<P extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec as unknown as Route;
}

/** What the middleware around the routes notes about a request, in `ctx.state`. */
export type RequestState = {
  requestId: string;
  principal: Principal;
  /** The client's, as far as proxies are trusted. */
  address: string;
  /** Whether the client speaks TLS. */
  secure: boolean;
  /** The route that answers; null until one is found. */
  operation: string | null;
  /** Of that route. */
  problemAs?: ProblemShape | undefined;
};
