/** Sends one webhook: signed, to an address that is judged when it connects, without following anything or keeping the answer. */
import { lookup as systemLookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import type { SendOutcome } from './delivery.ts';
import type { Delivery } from '../storage/delivery.ts';
import { signatureHeaders } from './signature.ts';
import type { Targets } from './targets.ts';

export type WebhookSender = (delivery: Pick<Delivery, 'id' | 'url' | 'body'>) => Promise<SendOutcome>;

export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export type WebhookSenderOptions = {
  readonly targets: Targets;
  readonly secrets: readonly Uint8Array[];
  readonly userAgent: string;
  readonly now: () => Date;
  /** Everything from the look-up of the name to the status line. */
  readonly timeoutMs?: number;
  readonly resolve?: Resolve;
};

const defaultTimeoutMs = 5_000;

/** The sender never throws: whatever goes wrong is an outcome with a sentence. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const lookup = checkedLookup(options.targets, options.resolve ?? systemResolve);

  return async (delivery) => {
    const startedAt = performance.now();
    const outcome = await attempt(delivery, lookup, options).catch((error: unknown) => ({
      status: null,
      error: describe(error),
      retryAfterMs: null,
    }));
    return { ...outcome, durationMs: Math.round(performance.now() - startedAt) };
  };
}

async function attempt(
  { id, url, body }: Pick<Delivery, 'id' | 'url' | 'body'>,
  lookup: LookupFunction,
  { targets, secrets, userAgent, now, timeoutMs = defaultTimeoutMs }: WebhookSenderOptions,
): Promise<Omit<SendOutcome, 'durationMs'>> {
  const target = targets.check(url);
  const { request } = target.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(target, {
      method: 'POST',
      // A connection of its own for each message: one that was kept open has not been judged.
      agent: false,
      lookup,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        ...signatureHeaders(id, body, now(), secrets),
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': userAgent,
      },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      resolve({
        status: response.statusCode ?? null,
        error: null,
        retryAfterMs: retryAfterMs(response.headers['retry-after'], now()),
      });
      response.destroy();
    });
    sent.end(body);
  });
}

/** The connection goes to exactly the addresses that were judged: a name that answers differently next time gains nothing. */
function checkedLookup(targets: Targets, resolve: Resolve): LookupFunction {
  const judge = callbackify(async (hostname: string) => {
    const found = await resolve(hostname);
    if (found.length === 0 || found.some(({ address }) => !targets.addressAllowed(address)))
      throw new Error('the host resolves to an address that is not allowed');
    return found;
  });
  return (hostname, { all }, callback) => {
    judge(hostname, (error, found) => {
      if (error !== null) callback(error, '');
      else if (all === true) callback(null, [...found]);
      else callback(null, found[0]!.address, found[0]!.family);
    });
  };
}

const systemResolve: Resolve = (hostname) => systemLookup(hostname, { all: true });

function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now.getTime());
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  return error.message.slice(0, 300) || ('code' in error ? String(error.code) : 'the request failed');
}
