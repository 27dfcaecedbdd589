/** The one table of routes. Routing, checks, scopes, OpenAPI and the tests of all of them are made from it. */
import { collectionRoutes } from './collection-routes.ts';
import { keysNow } from '../http-settings.ts';
import { difyRoutes } from '../compatible/dify-routes.ts';
import { openAiRoutes } from '../compatible/openai-routes.ts';
import { batchRoutes } from './batch-routes.ts';
import { docsRoutes } from './docs-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { insertRoutes, type InsertRouteOptions } from './insert-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { loginRoutes, type LoginRouteOptions } from './login-routes.ts';
import { oidcRoutes } from './oidc-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { parseRoutes } from './parse-routes.ts';
import type { Route } from './route.ts';
import { searchRoutes } from './search-routes.ts';
import { systemRoutes, type SystemRouteOptions } from './system-routes.ts';
import { taskRoutes, type TaskRouteOptions } from './task-routes.ts';

export type RouteOptions = InsertRouteOptions &
  SystemRouteOptions &
  LoginRouteOptions &
  Omit<TaskRouteOptions, 'limits'> & {
    /** Routes of other parts of the product (webhooks, MCP), behind the same checks. */
    readonly extraRoutes: readonly Route[];
  };

export function createRoutes(options: RouteOptions): readonly Route[] {
  const { settings, wire, metrics } = options;
  const described = [
    ...insertRoutes(options),
    ...batchRoutes(options),
    ...parseRoutes(options),
    ...difyRoutes(wire),
    ...openAiRoutes(options),
    ...taskRoutes({ ...options, limits: settings.limits }),
    ...documentRoutes(wire),
    ...collectionRoutes(),
    ...searchRoutes(wire, metrics),
    ...systemRoutes(options),
    ...keyRoutes(settings),
    ...loginRoutes(options),
    ...(settings.oidc === null ? [] : oidcRoutes(settings.oidc, options)),
    ...options.extraRoutes,
  ];
  const { version, basePath, pageDir } = settings;
  const docs = { version, basePath, pageDir, withKeys: keysNow(settings).length > 0 };
  return [...described, ...docsRoutes(described, docs), ...pageRoutes(settings.pageDir)];
}
