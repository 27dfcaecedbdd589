/** The only place that turns an error code into an HTTP status, and an error into a problem document (RFC 9457). */
import { AppError, type DocumentErrorCode, type ErrorCode, type RequestErrorCode } from '../../errors.ts';
import type { TaskError } from '../../tasks/task.ts';
import { inOurWords } from '../../trouble.ts';

type Row = { readonly status: number; readonly title: string };

const table: Readonly<Record<RequestErrorCode, Row>> = {
  bad_request: { status: 400, title: 'Bad request' },
  invalid_request: { status: 422, title: 'Invalid request' },
  invalid_document: { status: 400, title: 'Invalid document' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'Request timeout' },
  conflict: { status: 409, title: 'Conflict' },
  not_cancellable: { status: 400, title: 'Task cannot be cancelled' },
  gone: { status: 410, title: 'Gone' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  body_too_large: { status: 413, title: 'Body too large' },
  expectation_failed: { status: 417, title: 'Expectation failed' },
  range_not_satisfiable: { status: 416, title: 'Range not satisfiable' },
  misdirected: { status: 421, title: 'Misdirected request' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  rate_limited: { status: 429, title: 'Too many requests' },
  quota_exceeded: { status: 429, title: 'Quota used up' },
  unknown_method: { status: 501, title: 'Unknown method' },
  unknown_transfer_coding: { status: 501, title: 'Unknown transfer coding' },
  queue_full: { status: 503, title: 'Queue full' },
  unavailable: { status: 503, title: 'Service unavailable' },
  insufficient_storage: { status: 507, title: 'Insufficient storage' },
  internal: { status: 500, title: 'Internal error' },
};

/** Every code that a problem document may carry, for OpenAPI. */
export const problemCodes = Object.keys(table) as readonly RequestErrorCode[];

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for. */
  readonly instance: string;
  readonly code: RequestErrorCode;
  readonly request_id: string;
  readonly [extension: string]: unknown;
};

/** The HTTP status of a code. */
export function statusOf(code: RequestErrorCode): number {
  return table[code].status;
}

/** An error as a client sees it. Never a stack, never a path of the machine: what is not an AppError gets a fixed sentence. */
export function toProblem(error: unknown, request: { path: string; requestId: string }): Problem {
  const known = asAppError(error);
  const code = requestCode(known.code);
  const { status, title } = table[code];
  return {
    type: `urn:rag-intake:problem:${code.replaceAll('_', '-')}`,
    title,
    status,
    detail: known.message,
    instance: request.path,
    ...known.extensions,
    code,
    request_id: request.requestId,
  };
}

/** `error` itself when it was expected, otherwise what it means to a client. */
export function asAppError(error: unknown): AppError {
  const known = inOurWords(error);
  if (known instanceof AppError) return known;
  return new AppError('internal', 'Something went wrong on the server; its log has the details under this request id.', {
    cause: error,
  });
}

/** Why a task failed that was not its document's fault, as a status. The others are the document's: `invalid_document`. */
const serverFaults: Partial<Record<ErrorCode, RequestErrorCode>> = {
  record_corrupt: 'internal',
  storage_failed: 'unavailable',
  embedder_failed: 'unavailable',
  stalled: 'unavailable',
} satisfies Partial<Record<DocumentErrorCode, RequestErrorCode>>;

/** The end of a task that failed, for whoever has waited for it. */
export function failedTask(error: TaskError | null, extensions: Record<string, unknown>): AppError {
  const code = error === null ? 'internal' : requestCode(error.code);
  const sentence = error?.message ?? 'The document could not be processed';
  return new AppError(code, code === 'invalid_document' ? `Invalid document: ${sentence}` : sentence, { extensions });
}

function requestCode(code: ErrorCode): RequestErrorCode {
  if (Object.hasOwn(table, code)) return code as RequestErrorCode;
  return serverFaults[code] ?? 'invalid_document';
}
