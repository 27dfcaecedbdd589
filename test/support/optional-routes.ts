/** What settings can switch on (webhooks, MCP, answers), for tests that go through every route there can be. */
import { answerRoutes } from '../../src/http/routes/answer-routes.ts';
import type { HttpLimits } from '../../src/http/http-settings.ts';
import type { Route } from '../../src/http/routes/route.ts';
import type { Services } from '../../src/http/services.ts';
import { createMcpHandler } from '../../src/mcp/mcp-handler.ts';
import { mcpRoute } from '../../src/mcp/mcp-route.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { replayed } from '../../src/webhooks/delivery.ts';
import type { Delivery } from '../../src/storage/delivery.ts';
import { webhookRoutes } from '../../src/webhooks/webhook-routes.ts';
import { collectingLogger, testSettings } from './http-server.ts';

/** A delivery that is there. */
export const deliveryId = 'msg_1';

const delivery: Delivery = {
  id: deliveryId,
  taskId: '0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b' as TaskId,
  url: 'https://hooks.example.com/',
  body: '{}',
  createdAt: '2026-01-01T00:00:00.000Z',
  state: 'given_up',
  failures: 12,
  dueAt: null,
  attempts: [{ at: '2026-01-01T00:00:00.000Z', durationMs: 5, status: 503, error: null }],
};

export async function optionalRoutes(limits: HttpLimits = testSettings.limits): Promise<Route[]> {
  const { basePath, taskRetentionMs } = testSettings;
  const wire = { basePath, taskRetentionMs };
  const handle = await createMcpHandler({ version: '1.2.3', logger: collectingLogger([]) });
  const webhooks = {
    start: () => {},
    stop: async () => {},
    callbackUrl: () => null,
    list: async () => [delivery],
    get: async (id: string) => (id === deliveryId ? delivery : null),
    replay: async (id: string) => (id === deliveryId ? replayed(delivery, new Date()) : null),
  };
  return [
    ...webhookRoutes(() => webhooks),
    mcpRoute({ handle, wire, limits, documentBytesMax: 100_000 }),
    ...answerRoutes({ limits, wire }),
  ];
}

/** The services of a server that answers questions. */
export function answering(services: Services): Services {
  return {
    ...services,
    answers: {
      async *answer({ question }) {
        yield { type: 'sources', sources: [] };
        yield { type: 'text', text: question };
        yield { type: 'done', cited: [] };
      },
    },
  };
}
