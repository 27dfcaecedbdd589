/** Keys added to a file and taken out of it. */
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseApiKeys, writeApiKey } from '../../../src/http/access/api-keys.ts';
import { addKey, KeyFileError, keysOf, removeKey } from '../../../src/http/access/key-file.ts';

describe('a key file', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'key-file-'));
    path = join(folder, 'keys');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const line = (name: string): string => writeApiKey(name, 'read', new Uint8Array(32).fill(1), ['hr', 'finance']).line;
  const names = async (): Promise<string[]> => (await keysOf(path)).map(({ name }) => name);

  it('is made for its owner alone, takes each name once, and says what is in it', async () => {
    expect(await names()).toEqual([]);
    await addKey(path, 'a', line('a'));
    await addKey(path, 'b', line('b'));

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(addKey(path, 'a', line('a'))).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining('named a'),
    });
    expect(await keysOf(path)).toMatchObject(['a', 'b'].map((name) => ({ name, scope: 'read', collections: ['hr', 'finance'] })));
  });

  it('loses one key, and keeps comments and the others of its line', async () => {
    await writeFile(path, `# ours\n${line('a')},${line('b')}\n${line('c')}\nalone-0123456789abcdef\n`);
    const alone = (await names()).at(-1)!;

    for (const name of ['b', 'c', alone]) expect(await removeKey(path, name)).toBe('removed');

    expect(await readFile(path, 'utf8')).toBe(`# ours\n${line('a')}\n`);
    expect(await removeKey(path, 'b')).toBe('absent');
  });

  it('keeps every key that several add at once, and leaves nothing beside it', async () => {
    const many = Array.from({ length: 20 }, (_, n) => `k${n}`);

    await Promise.all(many.map((name) => addKey(path, name, line(name))));

    expect((await names()).toSorted()).toEqual(many.toSorted());
    expect(await readdir(folder)).toEqual(['keys']);
  });

  it('has no keys in a comment, whatever commas are in it, and keeps it', async () => {
    const comments = [
      '# staff keys, ask Alice before changing',
      `${line('a')}, # of 财务部门, 请勿修改本文件的任何内容谢谢大家`,
      `#${line('gone')},${line('old')}`,
    ];
    await writeFile(path, `${comments.join('\n')}\n`);

    expect(await names()).toEqual(['a']);
    expect(await removeKey(path, 'old')).toBe('absent');
    expect(await removeKey(path, 'a')).toBe('removed');
    expect(await readFile(path, 'utf8')).toBe(`${comments[0]}\n # of 财务部门, 请勿修改本文件的任何内容谢谢大家\n${comments[2]}\n`);
  });

  it('is changed behind a link, which stays one', async () => {
    const link = join(folder, 'link');
    await writeFile(path, `${line('a')}\n`);
    await symlink('keys', link);

    await addKey(link, 'b', line('b'));

    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await names()).toEqual(['a', 'b']);
  });

  it('is left alone where what would be left of it does not do', async () => {
    await writeFile(path, `${line('a')}\n`);

    expect(await removeKey(path, 'a', (left) => left.length > 0)).toBe('needed');
    expect(await names()).toEqual(['a']);
  });

  it('stays as readable as it was', async () => {
    await writeFile(path, `${line('a')}\n`);
    await chmod(path, 0o640);

    await addKey(path, 'b', line('b'));

    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it('that holds something else, or whose folder is not there, is said so and left alone', async () => {
    await writeFile(path, 'x:y');

    await expect(keysOf(path)).rejects.toBeInstanceOf(KeyFileError);
    await expect(addKey(path, 'a', line('a'))).rejects.toBeInstanceOf(KeyFileError);
    await expect(removeKey(path, 'x')).rejects.toBeInstanceOf(KeyFileError);
    await expect(addKey(join(folder, 'no', 'keys'), 'a', line('a'))).rejects.toBeInstanceOf(KeyFileError);
    expect(await readFile(path, 'utf8')).toBe('x:y');
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
