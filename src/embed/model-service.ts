/** JSON over HTTP to a model server (embeddings, reranking): patient where waiting helps, clear where it does not. */
import { setTimeout as pause } from 'node:timers/promises';
import { DocumentError } from '../errors.ts';

export type ModelService = {
  readonly url: string;
  /** Sent as a bearer token when not empty; never logged. */
  readonly key: string;
  /** For one attempt. */
  readonly timeoutMs: number;
};

/** Attempts at one request; the pauses between them double from `firstPauseMs`, or are what `Retry-After` says. */
const attemptsMax = 4;
const firstPauseMs = 250;
const pauseMsMax = 10_000;
const answerBytesMax = 256 * 1024 * 1024;

/**
 * Posts and returns the parsed answer. Attempts again on 408, 429, 5xx, a broken connection and a time-out.
 * @throws DocumentError `embedder_failed` with the reason; retryable unless the service refused the request itself (4xx).
 */
export async function postJson(service: ModelService, body: unknown, signal?: AbortSignal): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const result = await post(service, body, signal);
    if (result.ok) return result.value;
    if (!result.again || attempt === attemptsMax || signal?.aborted === true) throw failure(service, result);
    const pauseMs = Math.min(pauseMsMax, result.pauseMs ?? firstPauseMs * 2 ** (attempt - 1));
    try {
      await pause(pauseMs, undefined, signal === undefined ? {} : { signal });
    } catch {
      throw failure(service, result);
    }
  }
}

type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string; readonly again: boolean; readonly pauseMs?: number; readonly cause?: unknown };

async function post(service: ModelService, body: unknown, signal: AbortSignal | undefined): Promise<Result> {
  const timeout = AbortSignal.timeout(service.timeoutMs);
  try {
    const response = await fetch(service.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(service.key === '' ? {} : { authorization: `Bearer ${service.key}` }),
      },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    if (!response.ok) return await refusal(response);
    const length = Number(response.headers.get('content-length') ?? 0);
    if (length > answerBytesMax) return { ok: false, reason: 'its answer is too large', again: false };
    return { ok: true, value: await response.json() };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, reason: 'its answer is not JSON', again: false, cause: error };
    const reason = timeout.aborted ? `it did not answer within ${service.timeoutMs} ms` : 'it cannot be reached';
    return { ok: false, reason, again: true, cause: error };
  }
}

async function refusal(response: Response): Promise<Result> {
  await response.body?.cancel();
  const again = response.status === 408 || response.status === 429 || response.status >= 500;
  const seconds = Number(response.headers.get('retry-after'));
  const reason = `it answered with HTTP status ${response.status}`;
  return seconds > 0 ? { ok: false, reason, again, pauseMs: seconds * 1000 } : { ok: false, reason, again };
}

function failure(service: ModelService, result: Extract<Result, { ok: false }>): DocumentError {
  return new DocumentError('embedder_failed', `The model service at ${new URL(service.url).host} failed: ${result.reason}`, {
    retryable: result.again,
    cause: result.cause,
  });
}
