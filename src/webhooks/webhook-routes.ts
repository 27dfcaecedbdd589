/** GET /webhooks/deliveries and the replay of one: for whoever looks after the server. */
import { z } from 'zod';
import { defaultCollection } from '../documents/document-name.ts';
import { AppError } from '../errors.ts';
import { reaches } from '../http/access/access.ts';
import { route, type Route } from '../http/routes/route.ts';
import { type Delivery, deliveryStates } from '../storage/delivery.ts';
import type { Webhooks } from './webhooks.ts';

const time = z.iso.datetime();
const deliveryRecord = z
  .strictObject({
    id: z.string().meta({ description: 'The `webhook-id` that its receiver sees.' }),
    task_id: z.string(),
    url: z.string(),
    state: z.enum(deliveryStates).meta({ description: '`stopped`: answered 410. `given_up`: all attempts failed.' }),
    failures: z.int().min(0),
    created_at: time,
    due_at: time.nullable(),
    attempts: z
      .array(z.strictObject({ at: time, duration_ms: z.int().min(0), status: z.int().nullable(), error: z.string().nullable() }))
      .meta({ description: 'The latest attempts, oldest first.' }),
  })
  .meta({ id: 'WebhookDelivery' });

/** Deliveries that are looked through for those of a bound key. */
const lookedThroughMax = 1000;

const limit = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .pipe(z.number().min(1).max(1000))
  .optional()
  .transform((value) => value ?? 50)
  .meta({ override: ({ jsonSchema }) => Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 1000, default: 50 }) });

/** `webhooks` is null while the service is starting. */
export function webhookRoutes(webhooks: () => Webhooks | null): readonly Route[] {
  return [
    route({
      operation: 'listDeliveries',
      method: 'GET',
      path: '/webhooks/deliveries',
      scope: 'admin',
      tag: 'system',
      summary: 'List webhooks that were sent or are waiting, newest first.',
      query: z.object({ state: z.enum(deliveryStates).optional(), limit }),
      answers: {
        200: {
          description: 'The newest webhooks.',
          json: z.strictObject({ deliveries: z.array(deliveryRecord) }).meta({ id: 'WebhookDeliveryList' }),
        },
      },
      async handle({ ctx, principal, query: { state, limit: count } }) {
        const limit = principal.collections === null ? count : lookedThroughMax;
        const found = await started(webhooks).list({ limit, ...(state === undefined ? {} : { state }) });
        const deliveries = found.filter((delivery) => reaches(principal, collectionOf(delivery))).slice(0, count);
        ctx.body = { deliveries: deliveries.map(toRecord) };
      },
    }),
    route({
      operation: 'replayDelivery',
      method: 'POST',
      path: '/webhooks/deliveries/{id}/replay',
      scope: 'admin',
      tag: 'system',
      summary: 'Send a webhook again, with as many attempts as a new one.',
      logged: 'webhook sent again on request',
      params: z.object({ id: z.string().min(1).max(128) }),
      answers: { 202: { description: 'The webhook waits to be sent.', json: deliveryRecord } },
      problems: ['not_found'],
      async handle({ ctx, params, principal }) {
        const known = await started(webhooks).get(params.id);
        const isReached = known !== null && reaches(principal, collectionOf(known));
        const delivery = isReached ? await started(webhooks).replay(params.id) : null;
        if (delivery === null) throw new AppError('not_found', 'Delivery not found');
        ctx.status = 202;
        ctx.body = toRecord(delivery);
      },
    }),
  ];
}

/** The collection whose task it tells of: its message says so. Those of version 0.1.0 were of `default`. */
function collectionOf({ body }: Delivery): string {
  const { data } = JSON.parse(body) as { data?: { collection?: string } };
  return data?.collection ?? defaultCollection;
}

function started(webhooks: () => Webhooks | null): Webhooks {
  const current = webhooks();
  if (current === null) throw new AppError('unavailable', 'RAG service is not ready.');
  return current;
}

function toRecord({ id, taskId, url, state, failures, createdAt, dueAt, attempts }: Delivery): z.output<typeof deliveryRecord> {
  return {
    id,
    task_id: taskId,
    url,
    state,
    failures,
    created_at: createdAt,
    due_at: dueAt,
    attempts: attempts.map(({ at, durationMs, status, error }) => ({ at, duration_ms: durationMs, status, error })),
  };
}
