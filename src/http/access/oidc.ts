/**
 * Logging in at an OpenID Connect provider: authorization code with PKCE, state and nonce, by openid-client. What is on its way between the
 * two requests of a login travels in a signed cookie, so that any front end may take the second one, and nothing is held here.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type * as client from 'openid-client';
import { AppError } from '../../errors.ts';
import { isLoopbackHost } from './origin-guard.ts';

export type OidcSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The claim of the ID token that names the person. */
  readonly claim: string;
};

export const oidcCookie = 'rag_oidc';
/** How long somebody may take at the provider. */
export const oidcLoginMs = 600_000;
/** Longest wait for one answer of the provider. */
const providerSeconds = 10;
const providerSilent = 'The login provider (OIDC_ISSUER) did not respond as expected. Try again later, or log in with an API key.';
const startAgain = 'This login took too long or was started in another browser. Log in again.';

type Begun = { readonly state: string; readonly nonce: string; readonly verifier: string; readonly untilMs: number };

export interface OidcLogin {
  /** Where to send the browser, and the cookie that must come back. @throws AppError `unavailable`. */
  begin(redirectUri: string, nowMs: number): Promise<{ readonly location: string; readonly cookie: string }>;
  /**
   * The name of the person whom the provider vouches for.
   * @throws AppError `bad_request` for what this server did not begin, `unauthorized` when the provider does not vouch, `unavailable`.
   */
  end(redirect: { uri: string; search: string; cookie: string | null; nowMs: number }): Promise<string>;
}

export function createOidcLogin(settings: OidcSettings, secret: Uint8Array): OidcLogin {
  let known: Promise<Provider> | null = null;

  /** Asked once; a provider that was not there is asked again by the next login. */
  function provider(): Promise<Provider> {
    known ??= findProvider(settings).catch((error: unknown) => {
      known = null;
      throw new AppError('unavailable', providerSilent, { cause: error });
    });
    return known;
  }

  return {
    async begin(redirectUri, nowMs) {
      const { oidc, config } = await provider();
      const begun = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        untilMs: nowMs + oidcLoginMs,
      };
      const location = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      return { location: location.href, cookie: seal(secret, begun) };
    },
    async end({ uri, search, cookie, nowMs }) {
      const begun = cookie === null ? null : unseal(secret, cookie);
      const asked = new URLSearchParams(search);
      if (begun === null || nowMs > begun.untilMs || asked.get('state') !== begun.state)
        throw new AppError('bad_request', startAgain);
      if (asked.has('error')) throw new AppError('unauthorized', 'The login provider refused the login.');
      const { oidc, config } = await provider();
      const tokens = await oidc
        .authorizationCodeGrant(config, new URL(uri + search), {
          pkceCodeVerifier: begun.verifier,
          expectedState: begun.state,
          expectedNonce: begun.nonce,
          idTokenExpected: true,
        })
        .catch((error: unknown) => {
          throw refusalOf(error);
        });
      return personOf(tokens.claims() ?? {}, settings.claim);
    },
  };
}

type Provider = { readonly oidc: typeof client; readonly config: client.Configuration };

async function findProvider({ issuer, clientId, clientSecret }: OidcSettings): Promise<Provider> {
  const oidc = await import('openid-client');
  const server = new URL(issuer);
  // Without TLS only to this machine itself: what a provider says over a wire that others can write to is worth nothing.
  const isLocal = server.protocol === 'http:' && isLoopbackHost(server.host);
  const config = await oidc.discovery(
    server,
    clientId,
    undefined,
    clientSecret === '' ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
    { timeout: providerSeconds, execute: isLocal ? [oidc.allowInsecureRequests] : [] },
  );
  oidc.enableNonRepudiationChecks(config);
  return { oidc, config };
}

/** A provider that is down is no refusal. */
function refusalOf(error: unknown): AppError {
  const code = (error as { code?: unknown }).code;
  const silent = code === 'OAUTH_TIMEOUT' || error instanceof TypeError || (error as { name?: string }).name === 'TimeoutError';
  return silent
    ? new AppError('unavailable', providerSilent, { cause: error })
    : new AppError('unauthorized', 'The response of the login provider could not be verified. Log in again.', { cause: error });
}

/** An address of mail says who somebody is only where the provider has made sure of it. */
function personOf(claims: Readonly<Record<string, unknown>>, claim: string): string {
  const person = claims[claim];
  if (typeof person !== 'string' || person === '')
    throw new AppError('unauthorized', `The login provider did not send your ${claim}. Ask an administrator to check OIDC_CLAIM.`);
  if (claim === 'email' && claims['email_verified'] !== true)
    throw new AppError('unauthorized', 'The login provider has not verified your email address.');
  return person;
}

function seal(secret: Uint8Array, begun: Begun): string {
  const claim = Buffer.from(JSON.stringify(begun)).toString('base64url');
  return `${claim}.${sign(secret, claim)}`;
}

function unseal(secret: Uint8Array, value: string): Begun | null {
  const [claim = '', signature = ''] = value.split('.');
  const expected = Buffer.from(sign(secret, claim));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return JSON.parse(Buffer.from(claim, 'base64url').toString()) as Begun;
}

/** Not as sessions are signed: one must never be taken for the other. */
function sign(secret: Uint8Array, claim: string): string {
  return createHmac('sha256', secret).update('oidc login\n').update(claim).digest('base64url');
}
