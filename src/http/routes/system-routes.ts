/** Whether it lives, whether it can work, how it is set up, how it does; its metrics and its description. */
import { AppError } from '../../errors.ts';
import { keysNow, type HttpSettings } from '../http-settings.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { route, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import type { Throughput } from '../live/throughput.ts';
import { toStatusReply } from '../wire/wire.ts';

export type SystemRouteOptions = {
  readonly settings: HttpSettings;
  readonly metrics: HttpMetrics;
  readonly throughput: Throughput;
  /** ISO 8601. */
  readonly now: () => string;
};

export function systemRoutes({ settings, metrics, throughput, now }: SystemRouteOptions): readonly Route[] {
  return [
    route({
      operation: 'health',
      method: 'GET',
      path: '/health',
      scope: 'public',
      tag: 'system',
      summary: 'Liveness: whether the process answers.',
      answers: { 200: { description: 'The process answers.', json: schemas.healthReply } },
      needsServices: false,
      handle({ ctx }) {
        ctx.body = { status: 'ok' };
      },
    }),
    route({
      operation: 'ready',
      method: 'GET',
      path: '/ready',
      scope: 'public',
      tag: 'system',
      summary: 'Readiness: whether uploads are accepted (storage writable, workers running, space left).',
      answers: { 200: { description: 'Uploads are accepted.', json: schemas.readyReply } },
      problems: ['unavailable'],
      async handle({ ctx, services }) {
        const readiness = await services.readiness();
        if (!readiness.ready) throw new AppError('unavailable', 'RAG service is not ready.', { cause: readiness.reason });
        ctx.body = { status: 'ready' };
      },
    }),
    route({
      operation: 'config',
      method: 'GET',
      path: '/config',
      scope: 'public',
      tag: 'system',
      summary: 'Limits and features that a client needs to know before it uploads.',
      answers: { 200: { description: 'Version and limits.', json: schemas.configReply } },
      needsServices: false,
      handle({ ctx, principal }) {
        const { keyId: name, scope, collections } = principal;
        ctx.body = {
          version: settings.version,
          file_bytes_max: settings.fileBytesMax,
          sync_bytes_max: settings.syncBytesMax,
          auth: keysNow(settings).length === 0 ? 'none' : 'key',
          oidc: settings.oidc !== null,
          key: name === null ? null : { name, scope, collections },
          formats: settings.formats,
          answers: settings.answers,
        };
      },
    }),
    route({
      operation: 'status',
      method: 'GET',
      path: '/status',
      scope: 'read',
      tag: 'system',
      summary: 'Queue, index and disk now, and throughput in each minute of the last hour.',
      answers: { 200: { description: 'The figures.', json: schemas.statusReply } },
      async handle({ ctx, services, principal: { collections } }) {
        const figures = await services.status(collections);
        const nowMs = Date.parse(now());
        if (collections === null) throughput.sample(figures, nowMs);
        ctx.body = toStatusReply(figures, throughput.history(nowMs, collections));
      },
    }),
    route({
      operation: 'metrics',
      method: 'GET',
      path: '/metrics',
      scope: 'read',
      tag: 'system',
      summary: 'Metrics in the Prometheus format.',
      answers: { 200: { description: 'Prometheus text format.', mediaType: 'text/plain' } },
      async handle({ ctx, services, principal: { collections } }) {
        const { contentType, text } = await (collections === null
          ? metrics.page(services, Date.parse(now()))
          : metrics.boundPage(services, collections));
        ctx.status = 200;
        ctx.set('Content-Type', contentType);
        ctx.body = text;
      },
    }),
  ];
}
