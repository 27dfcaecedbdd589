/** Which collections a search looks into. */
import { describe, expect, it } from 'vitest';
import { askedCollections, collectionsSearchedMax } from '../../../src/http/access/asked-collection.ts';
import type { Services } from '../../../src/http/services.ts';

/** Asked by a caller who reaches all, where there are so many collections. */
async function askedOf(names: readonly string[], where: Parameters<typeof askedCollections>[1]): Promise<readonly string[]> {
  const collections = { names: () => Promise.resolve(names), exists: (name: string) => Promise.resolve(names.includes(name)) };
  const principal = { keyId: null, scope: 'admin', collections: null, by: 'none' } as const;
  return askedCollections({ services: { collections } as unknown as Services, principal }, where);
}

const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `c${n}`);

describe('a search in all collections', () => {
  it('passes over the files of the OpenAI interface, which are in their stores as well', async () => {
    expect(await askedOf(['default', 'hr', 'openai-files'], { collections: ['*'] })).toEqual(['default', 'hr']);
    expect(await askedOf(['default', 'openai-files'], { collections: ['openai-files'] })).toEqual(['openai-files']);
  });

  it('is refused in a sentence when they are more than one search looks into', async () => {
    expect(await askedOf(many(collectionsSearchedMax), { collections: ['*'] })).toHaveLength(collectionsSearchedMax);
    await expect(askedOf(many(collectionsSearchedMax + 1), { collections: ['*'] })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('4097 collections') as string,
    });
  });
});
