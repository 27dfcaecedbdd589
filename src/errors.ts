/**
 * The one closed list of things that can go wrong and that a caller may need to tell apart.
 * `http/problem.ts` maps a code to an HTTP status; a failed task stores a code and its sentence.
 */

/** Why a request was not done. */
export type RequestErrorCode =
  | 'invalid_request' // 422: a parameter is missing or malformed
  | 'bad_request' // 400: the body or a header is not well-formed
  | 'invalid_document' // 400: the file itself cannot be taken (empty, too large, unreadable)
  | 'unsupported_media_type' // 415: the request body is of the wrong kind
  | 'unauthorized' // 401
  | 'forbidden' // 403
  | 'not_found' // 404
  | 'method_not_allowed' // 405
  | 'request_timeout' // 408
  | 'conflict' // 409, or the fixed 400 of a cancel that came too late
  | 'not_cancellable' // 400: the fixed answer of a cancel that came too late
  | 'gone' // 410
  | 'precondition_failed' // 412: If-Match and its like
  | 'body_too_large' // 413: a body other than a file is too large
  | 'expectation_failed' // 417
  | 'range_not_satisfiable' // 416
  | 'misdirected' // 421: this Host is not served here
  | 'headers_too_large' // 431
  | 'rate_limited' // 429
  | 'quota_exceeded' // 429: of this day; Retry-After says when the next one begins
  | 'unknown_method' // 501: a method that is not known
  | 'unknown_transfer_coding' // 501: a transfer coding that is not known
  | 'queue_full' // 503 + Retry-After
  | 'unavailable' // 503: starting, stopping, or the store cannot be used
  | 'insufficient_storage' // 507
  | 'internal'; // 500

/** Why a document could not be processed: the `error_code` of a failed task. */
export type DocumentErrorCode =
  | 'unsupported_format' // not a format that is read here
  | 'encrypted' // needs a password
  | 'corrupt' // is of a known format but broken beyond reading
  | 'no_text' // holds no text (a scan without OCR, an empty page)
  | 'limit_exceeded' // met one of the parsing limits; the message names it
  | 'timeout' // a stage needed more than its time
  | 'stalled' // it was kept from being read: what it waited for did not come
  | 'out_of_memory' // the parsing thread ran out of its memory
  | 'worker_crashed' // the worker process or thread died on it, on every attempt
  | 'embedder_failed' // the embedding service did not answer usefully
  | 'cancelled' // by its user
  | 'document_deleted' // its doc_id was deleted while it waited or ran
  | 'record_corrupt' // its task record could not be read back
  | 'storage_failed' // the disk refused a write, on every attempt
  | 'internal'; // a bug; the log has the details

export type ErrorCode = RequestErrorCode | DocumentErrorCode;

/** An expected failure with a sentence written for the client; what caused it goes to the log only. */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** Seconds after which trying again makes sense, for `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** Further members of the problem document (RFC 9457 §3.2), e.g. `{ task_id }`. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number; extensions?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.extensions = options.extensions ?? {};
  }
}

/** `unavailable`, until somebody changes the setting that the sentence begins with, or what it names: starting again does not help. */
export class SettingError extends AppError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('unavailable', message, options);
    this.name = 'SettingError';
  }
}

/** A document that cannot be read, thrown by parsers and caught once, at the end of the pipeline. */
export class DocumentError extends Error {
  readonly code: DocumentErrorCode;
  /** Whether another attempt at the same bytes may end better. */
  readonly retryable: boolean;

  constructor(code: DocumentErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DocumentError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** True when `error` carries this errno code (`ENOENT`, `EEXIST`, …). */
export function hasErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
