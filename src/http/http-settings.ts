/** What the HTTP front end needs to know, picked from the settings by `app.ts`, and the limits that are not settings. */
import type { ApiKey } from './access/api-keys.ts';
import type { OidcSettings } from './access/oidc.ts';
import type { UserRule } from './access/users.ts';
import { isLoopbackHost } from './access/origin-guard.ts';

export type HttpSettings = {
  readonly version: string;
  readonly fileBytesMax: number;
  readonly syncBytesMax: number;
  /** Longest time a small upload waits for its task. */
  readonly syncWaitMs: number;
  readonly taskRetentionMs: number;
  /** Path prefix under which a proxy serves this, without a final slash; '' for none. */
  readonly basePath: string;
  /** Empty: no keys are asked for. A function: those of the moment. */
  readonly apiKeys: readonly ApiKey[] | (() => readonly ApiKey[]);
  /** The file of keys that can be made and revoked over HTTP; null: there is none. */
  readonly keyFile: KeyFile | null;
  /** People who log in by a proxy or a provider, and what they may do. */
  readonly users: readonly UserRule[];
  /** The header in which a trusted proxy names who is logged in there; '' for none. */
  readonly loginHeader: string;
  /** Null: no OIDC provider is set. */
  readonly oidc: OidcSettings | null;
  /** At least 32 random bytes that all front ends of one data directory share (`session-secret.ts`). */
  readonly sessionSecret: Uint8Array;
  /** Only these Host names are answered; null answers every Host. */
  readonly allowedHosts: readonly string[] | null;
  /** Origins that may call from a browser; usually none. */
  readonly corsOrigins: readonly string[];
  /** Addresses and CIDR ranges of proxies whose X-Forwarded-* headers are believed; usually none. */
  readonly trustedProxies: readonly string[];
  /** Requests per second for each key and address; 0 is off. */
  readonly requestsPerSecond: number;
  /** File name endings that can be read, for the page. */
  readonly formats: readonly string[];
  /** Whether a chat service is set, so that `POST /answer` is there. */
  readonly answers: boolean;
  /** The built web page; null or an absent folder: a sentence says that it is not built. */
  readonly pageDir: string | null;
  readonly limits: HttpLimits;
};

/** `fixed`: the keys of the settings. `changed`: takes up what has just been changed in the file. */
export type KeyFile = { readonly path: string; readonly fixed: readonly ApiKey[]; readonly changed: () => Promise<void> };

/** The keys that are good at this moment. */
export function keysNow({ apiKeys }: Pick<HttpSettings, 'apiKeys'>): readonly ApiKey[] {
  return typeof apiKeys === 'function' ? apiKeys() : apiKeys;
}

export type HttpLimits = {
  readonly headersMs: number;
  readonly keepAliveMs: number;
  /** Beyond this the connection that has been waiting for its client longest is ended for a new one. */
  readonly connectionsMax: number;
  /** See `body-watch.ts`. */
  readonly bodyMs: number;
  readonly transferWindowMs: number;
  readonly transferBytesMin: number;
  /** How long a client may leave an answer lying without reading any of it. */
  readonly unreadMs: number;
  /** How long a client that has ended its side still gets an answer that has to be waited for. */
  readonly halfClosedMs: number;
  /** How long an answer that was given before the whole request was read stays readable before the connection is cut. */
  readonly lingerMs: number;
  readonly jsonBytesMax: number;
  /** Uploads being received at once, of one key or address and of all. */
  readonly uploadsPerClientMax: number;
  readonly uploadsMax: number;
  /** Requests that wait for the end of a task; one more is answered at once with what there is. */
  readonly waitsPerClientMax: number;
  readonly waitsMax: number;
  readonly eventStreamsPerClientMax: number;
  readonly eventStreamsMax: number;
  readonly eventHeartbeatMs: number;
  /** A client that leaves this much unread is cut off. */
  readonly eventBufferBytesMax: number;
  readonly sessionMs: number;
};

export const defaultHttpLimits: HttpLimits = {
  headersMs: 10_000,
  keepAliveMs: 15_000,
  connectionsMax: 8192,
  bodyMs: 15_000,
  transferWindowMs: 20_000,
  transferBytesMin: 4096,
  unreadMs: 30_000,
  halfClosedMs: 200,
  lingerMs: 2_000,
  jsonBytesMax: 64 * 1024,
  uploadsPerClientMax: 64,
  uploadsMax: 256,
  waitsPerClientMax: 1024,
  waitsMax: 4096,
  eventStreamsPerClientMax: 32,
  eventStreamsMax: 256,
  eventHeartbeatMs: 15_000,
  eventBufferBytesMax: 1024 * 1024,
  sessionMs: 12 * 3600 * 1000,
};

/** The settings as `config.ts` has them, as far as they concern HTTP. */
export type HttpConfig = Pick<
  HttpSettings,
  'fileBytesMax' | 'syncBytesMax' | 'syncWaitMs' | 'basePath' | 'corsOrigins' | 'trustedProxies' | 'users' | 'loginHeader'
> & {
  readonly oidcIssuer: string;
  readonly oidcClientId: string;
  readonly oidcClientSecret: string;
  readonly oidcClaim: string;
  readonly host: string;
  readonly taskRetentionHours: number;
  /** More host names that are answered; empty: those of this machine on a loopback address, any on another. */
  readonly allowedHosts: readonly string[];
  /** Null: off on a loopback address, `openRequestsPerSecond` on another. */
  readonly requestsPerSecond: number | null;
};

/** The rest, which no setting holds. */
export type HttpParts = Pick<HttpSettings, 'version' | 'apiKeys' | 'keyFile' | 'sessionSecret' | 'formats' | 'answers' | 'pageDir'>;

const openRequestsPerSecond = 50;

export function toHttpSettings(config: HttpConfig, parts: HttpParts): HttpSettings {
  const loopback = isLoopbackHost(config.host);
  const { version, apiKeys, keyFile, sessionSecret, formats, answers, pageDir } = parts;
  const { fileBytesMax, syncBytesMax, syncWaitMs, basePath, corsOrigins, trustedProxies, users, loginHeader } = config;
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret, oidcClaim: claim } = config;
  return {
    version,
    fileBytesMax,
    syncBytesMax,
    syncWaitMs,
    taskRetentionMs: config.taskRetentionHours * 3600 * 1000,
    basePath,
    apiKeys,
    keyFile,
    users,
    loginHeader,
    oidc: issuer === '' ? null : { issuer, clientId, clientSecret, claim },
    sessionSecret,
    allowedHosts: loopback || config.allowedHosts.length > 0 ? config.allowedHosts : null,
    corsOrigins,
    trustedProxies,
    requestsPerSecond: config.requestsPerSecond ?? (loopback ? 0 : openRequestsPerSecond),
    formats,
    answers,
    pageDir,
    limits: defaultHttpLimits,
  };
}
