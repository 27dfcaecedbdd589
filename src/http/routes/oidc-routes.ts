/** Logging in to the page at an OpenID Connect provider: there and back. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { cookieValue, principalOf } from '../access/access.ts';
import { addressBlock, requestedHost, trustProxies } from '../access/client-address.ts';
import { createOidcLogin, oidcCookie, oidcLoginMs, type OidcSettings } from '../access/oidc.ts';
import { createLoginLimiter } from '../access/rate-limit.ts';
import { writeSession } from '../access/session.ts';
import { holderOf } from '../access/users.ts';
import { type LoginRouteOptions, setSessionCookie } from './login-routes.ts';
import { type RequestState, route, type Route } from './route.ts';

export function oidcRoutes(oidc: OidcSettings, { settings, endedSessions, newId }: LoginRouteOptions): readonly Route[] {
  const login = createOidcLogin(oidc, settings.sessionSecret);
  const proxyTrust = trustProxies(settings.trustedProxies);
  const limiter = createLoginLimiter(() => performance.now());
  const path = `${settings.basePath}/login/oidc`;

  /** As the provider knows it; whoever sends another host is sent away by the provider, which has a list of them. */
  function redirectUri({ req, state }: Context): string {
    const scheme = (state as RequestState).secure ? 'https' : 'http';
    return `${scheme}://${requestedHost(req, proxyTrust)}${path}/callback`;
  }

  /** Lax, since the way back begins on the provider's page. */
  function setBegun(ctx: Context, value: string, maxAgeSeconds: number): void {
    const secure = (ctx.state as RequestState).secure ? '; Secure' : '';
    ctx.set('Set-Cookie', `${oidcCookie}=${value}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`);
  }

  return [
    route({
      operation: 'loginAtProvider',
      method: 'GET',
      path: '/login/oidc',
      scope: 'public',
      tag: 'page',
      summary: 'Redirect the browser to the login provider.',
      answers: { 302: { description: 'Redirect to the login provider.', empty: true } },
      problems: ['unavailable'],
      needsServices: false,
      async handle({ ctx }) {
        const { location, cookie } = await login.begin(redirectUri(ctx), await endedSessions.nowMs());
        setBegun(ctx, cookie, oidcLoginMs / 1000);
        ctx.set('Location', location);
        ctx.body = null;
        ctx.status = 302;
      },
    }),
    route({
      operation: 'loginFromProvider',
      method: 'GET',
      path: '/login/oidc/callback',
      scope: 'public',
      tag: 'page',
      summary: 'Where the login provider sends the browser after the login.',
      logged: 'logged in',
      anyQuery: true,
      answers: { 200: { description: 'Logged in; redirects to the page and sets a session cookie.', mediaType: 'text/html' } },
      problems: ['bad_request', 'unauthorized', 'forbidden', 'rate_limited', 'unavailable'],
      needsServices: false,
      async handle({ ctx, audit }) {
        const state = ctx.state as RequestState;
        const caller = addressBlock(state.address);
        limiter.check(caller);
        const nowMs = await endedSessions.nowMs();
        const cookie = cookieValue(ctx.req, oidcCookie);
        const person = await login.end({ uri: redirectUri(ctx), search: ctx.search, cookie, nowMs }).catch((error: unknown) => {
          limiter.wrong(caller);
          throw error;
        });
        const key = holderOf(settings.users, person);
        if (key === null)
          throw new AppError('forbidden', 'Your login was confirmed, but LOGIN_USERS gives you no access. Ask an administrator.');
        state.principal = principalOf(key, 'cookie');
        audit({ event: 'login', refused: false });
        const { sessionMs } = settings.limits;
        const session = writeSession(settings.sessionSecret, { id: newId(), key, expiresMs: nowMs + sessionMs });
        setSessionCookie(ctx, settings, session, sessionMs / 1000);
        // A redirect would still count as the provider's: browsers send a Strict cookie only once this page itself goes on.
        ctx.body = `<!doctype html><meta charset="utf-8"><title>rag-intake</title><meta http-equiv="refresh" content="0;url=${settings.basePath}/">\n`;
        ctx.set('Content-Type', 'text/html; charset=utf-8');
      },
    }),
  ];
}
