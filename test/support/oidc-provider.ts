/** A small OpenID Connect provider: discovery, keys, authorization by a redirect, tokens signed with RS256. Whom it vouches for is told to it. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type OidcProvider = {
  readonly issuer: string;
  /** Claims of the next tokens, beside those that every token has; what is given here goes over those. */
  claims: Record<string, unknown>;
  /** How the next tokens are spoilt. */
  fault: 'none' | 'other key' | 'other nonce' | 'silent';
  /** Every token request, as it came. */
  readonly tokenRequests: { readonly authorization: string; readonly form: URLSearchParams }[];
  close(): Promise<void>;
};

export async function startOidcProvider(clientId: string): Promise<OidcProvider> {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, { nonce: string; challenge: string; redirectUri: string }>();
  const tokenRequests: OidcProvider['tokenRequests'] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, provider.issuer);
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (provider.fault === 'silent') return json(500, {});
    if (url.pathname === '/.well-known/openid-configuration') {
      const { issuer } = provider;
      return json(200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    }
    if (url.pathname === '/keys')
      return json(200, { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
    if (url.pathname === '/authorize') {
      const asked = url.searchParams;
      const code = randomUUID();
      codes.set(code, {
        nonce: asked.get('nonce')!,
        challenge: asked.get('code_challenge')!,
        redirectUri: asked.get('redirect_uri')!,
      });
      const back = new URL(asked.get('redirect_uri')!);
      back.search = new URLSearchParams({ code, state: asked.get('state')!, iss: provider.issuer }).toString();
      response.writeHead(302, { Location: back.href }).end();
      return;
    }
    const form = new URLSearchParams(await text(request));
    tokenRequests.push({ authorization: request.headers.authorization ?? '', form });
    const known = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (known === undefined || known.challenge !== challenge || known.redirectUri !== form.get('redirect_uri'))
      return json(400, { error: 'invalid_grant' });
    json(200, { access_token: 'unused', token_type: 'Bearer', id_token: idToken(known.nonce) });
  }

  function idToken(nonce: string): string {
    const seconds = Math.floor(Date.now() / 1000);
    const claims = {
      iss: provider.issuer,
      aud: clientId,
      sub: 'subject',
      iat: seconds,
      exp: seconds + 300,
      nonce: provider.fault === 'other nonce' ? 'another' : nonce,
      ...provider.claims,
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
    const { privateKey } = provider.fault === 'other key' ? other : own;
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    claims: {},
    fault: 'none',
    tokenRequests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return provider;
}
