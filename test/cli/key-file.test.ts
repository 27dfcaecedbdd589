/** Keys added to a file and taken out of it. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addKey, listKeys, requireKeyFile, revokeKey } from '../../src/cli/key-file.ts';
import { parseApiKeys, writeApiKey } from '../../src/http/access/api-keys.ts';

describe('a key file', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'key-file-'));
    path = join(folder, 'keys');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const line = (name: string): string => writeApiKey(name, 'read', new Uint8Array(32).fill(1), ['hr', 'finance']).line;

  it('is made for its owner alone, takes each name once, and says what is in it', async () => {
    await addKey(path, 'a', line('a'));
    await addKey(path, 'b', line('b'));

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(addKey(path, 'a', line('a'))).rejects.toThrow(/has a key named a/);
    expect((await listKeys(path)).json).toEqual({
      keys: ['a', 'b'].map((name) => ({ name, scope: 'read', collections: ['hr', 'finance'] })),
    });
  });

  it('loses one key, and keeps comments and the others of its line', async () => {
    await writeFile(path, `# ours\n${line('a')},${line('b')}\n${line('c')}\n`);

    await revokeKey(path, 'b');
    await revokeKey(path, 'c');

    expect(await readFile(path, 'utf8')).toBe(`# ours\n${line('a')}\n`);
    await expect(revokeKey(path, 'b')).rejects.toThrow(/no key named b/);
  });

  it('that nobody has named, or that holds something else, is said so', async () => {
    await writeFile(path, 'x:y');

    expect(() => requireKeyFile(undefined)).toThrow(/API_KEYS_FILE/);
    await expect(listKeys(path)).rejects.toThrow(/name:scope:key/);
  });
});

describe('a key that is bound', () => {
  it('names its collections in the order that it has, the first being its own', () => {
    const [key] = parseApiKeys('a:write@hr+finance:0123456789abcdef0123');

    expect(key).toMatchObject({ name: 'a', scope: 'write', collections: ['hr', 'finance'] });
    expect(parseApiKeys('a:write:0123456789abcdef0123')[0]).toMatchObject({ collections: null });
  });

  it('is refused when a name could not be that of a collection', () => {
    for (const bound of ['', 'HR', 'hr+', 'hr@finance', '../x', 'a b'])
      expect(() => parseApiKeys(`a:write@${bound}:0123456789abcdef0123`), bound).toThrow();
    expect(() => writeApiKey('a', 'read', new Uint8Array(32), [])).toThrow();
  });
});
