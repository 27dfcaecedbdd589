/** The page's login: a key for a cookie that scripts cannot read and other sites cannot send. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { principalOf, sessionOf } from '../access/access.ts';
import { findApiKey } from '../access/api-keys.ts';
import { addressBlock } from '../access/client-address.ts';
import { keysNow, type HttpSettings } from '../http-settings.ts';
import { createLoginLimiter } from '../access/rate-limit.ts';
import { route, type RequestState, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import { sessionCookie, writeSession } from '../access/session.ts';
import type { EndedSessions } from '../../storage/ended-sessions.ts';

export type LoginRouteOptions = {
  readonly settings: HttpSettings;
  readonly endedSessions: EndedSessions;
  readonly logger: Logger;
  readonly newId: () => string;
};

export function loginRoutes({ settings, endedSessions, logger, newId }: LoginRouteOptions): readonly Route[] {
  const limiter = createLoginLimiter(() => performance.now());
  return [
    route({
      operation: 'login',
      method: 'POST',
      path: '/login',
      scope: 'public',
      tag: 'page',
      summary: 'Log in to the page with an API key.',
      logged: 'logged in',
      body: { kind: 'json', schema: schemas.loginBody },
      answers: { 200: { description: 'Logged in; the response sets a session cookie.', json: schemas.loginReply } },
      problems: ['bad_request', 'body_too_large', 'unsupported_media_type', 'unauthorized', 'not_found', 'rate_limited'],
      needsServices: false,
      async handle({ ctx, body, audit }) {
        if (keysNow(settings).length === 0) throw new AppError('not_found', 'This server has no API keys; no login is needed.');
        const caller = addressBlock((ctx.state as RequestState).address);
        limiter.check(caller);
        const key = findApiKey(keysNow(settings), body.key.trim());
        if (key === null) {
          limiter.wrong(caller);
          throw new AppError('unauthorized', 'This API key is not valid.');
        }
        (ctx.state as RequestState).principal = principalOf(key, 'cookie');
        audit({ event: 'login', refused: false });
        const expiresMs = (await endedSessions.nowMs()) + settings.limits.sessionMs;
        setSessionCookie(
          ctx,
          settings,
          writeSession(settings.sessionSecret, { id: newId(), key, expiresMs }),
          settings.limits.sessionMs / 1000,
        );
        ctx.body = {
          name: key.name,
          scope: key.scope,
          collections: key.collections,
          expires_at: new Date(expiresMs).toISOString(),
        };
      },
    }),
    route({
      operation: 'logout',
      method: 'POST',
      path: '/logout',
      scope: 'public',
      tag: 'page',
      summary: 'Log out: the session ends, and every copy of its cookie becomes invalid.',
      answers: { 200: { description: 'The session has ended.', json: schemas.logoutReply } },
      needsServices: false,
      async handle({ ctx, requestId }) {
        const { sessionSecret, limits } = settings;
        const session = await sessionOf(ctx.req, {
          keys: keysNow(settings),
          users: settings.users,
          sessionSecret,
          endedSessions,
          sessionMs: limits.sessionMs,
        });
        if (session !== null) {
          await endedSessions.add(session);
          logger.info({ requestId, keyId: session.key.name, address: (ctx.state as RequestState).address }, 'logged out');
        }
        setSessionCookie(ctx, settings, '', 0);
        ctx.body = { message: 'Logged out' };
      },
    }),
  ];
}

/** The page's login as a cookie; `maxAgeSeconds` 0 takes it away. */
export function setSessionCookie(ctx: Context, settings: HttpSettings, value: string, maxAgeSeconds: number): void {
  const secure = (ctx.state as RequestState).secure ? '; Secure' : '';
  ctx.set(
    'Set-Cookie',
    `${sessionCookie}=${value}; Path=${settings.basePath}/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`,
  );
}
