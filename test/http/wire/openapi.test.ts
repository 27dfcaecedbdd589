import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { examples } from '../../../src/http/wire/examples.ts';
import * as schemas from '../../../src/http/wire/schemas.ts';
import { startHttpServer } from '../../support/http-server.ts';

type Operation = {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags: readonly string[];
  readonly security?: readonly object[];
  readonly 'x-scope': string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly example?: unknown }>> }>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
};
type Description = {
  readonly info: { readonly license?: { readonly name: string } };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly security?: readonly object[];
  readonly components: { readonly securitySchemes?: Readonly<Record<string, object>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const key = 'k'.repeat(40);

async function description(withKeys: boolean): Promise<Description> {
  await using server = await startHttpServer({ settings: { apiKeys: withKeys ? parseApiKeys(`me:admin:${key}`) : [] } });
  return (await (await fetch(`${server.url}/openapi.json`, { headers: { 'X-API-Key': key } })).json()) as Description;
}

const operations = ({ paths }: Description): Operation[] => Object.values(paths).flatMap((methods) => Object.values(methods));

/** What `npx @redocly/cli lint` looks for by its recommended rules, as far as it needs no network. */
describe.each([false, true])('the description, keys in use: %s', (withKeys) => {
  it('has a licence, and a description for each tag that is used', async () => {
    const found = await description(withKeys);

    expect(found.info.license?.name).toBe('MIT');
    expect(found.tags.every(({ description: text }) => text.length > 10)).toBe(true);
    expect(new Set(found.tags.map(({ name }) => name))).toEqual(new Set(operations(found).flatMap(({ tags }) => tags)));
  });

  it('says of each operation what key it needs, and names no scheme that none uses', async () => {
    const found = await description(withKeys);
    const security = (operation: Operation): readonly object[] | undefined => operation.security ?? found.security;
    const keyed = operations(found).filter((operation) => (security(operation)?.length ?? 0) > 0);

    expect(operations(found).filter((operation) => security(operation) === undefined)).toEqual([]);
    expect(keyed.map(({ operationId }) => operationId)).toEqual(
      withKeys ? operations(found).flatMap((each) => (each['x-scope'] === 'public' ? [] : [each.operationId])) : [],
    );
    expect(Object.keys(found.components.securitySchemes ?? {})).toEqual(withKeys ? ['bearer', 'apiKey'] : []);
  });

  it('gives each operation a summary, an answer that is a success and one that is none', async () => {
    const lacking = operations(await description(withKeys)).filter(
      ({ summary, responses }) =>
        summary === undefined ||
        !Object.keys(responses).some((status) => status < '300') ||
        !Object.keys(responses).some((status) => status >= '400'),
    );

    expect(lacking).toEqual([]);
  });
});

it('examples are true to their schemas, and each is shown', async () => {
  const byId = new Map(
    Object.values(schemas).flatMap((schema) => (schema instanceof z.ZodType ? [[schema.meta()?.id, schema] as const] : [])),
  );
  const shown = JSON.stringify(await description(false));

  for (const [id, example] of Object.entries(examples)) {
    expect(byId.get(id)?.safeParse(example).error, id).toBeUndefined();
    if (id !== 'AnswerRequest') expect(shown, id).toContain(`"example":${JSON.stringify(example)}`);
  }
});
