import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endsRight } from '../support/hostile-file.ts';
import { hostileFiles, upload, watchHealth } from '../support/hostile-upload.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';

/** One of each kind; `npm run hostile` uploads them all. */
const names = [
  'a tree of a million pages.pdf',
  'a gigabyte of text.pdf',
  'forms in forms, thirty deep.pdf',
  '1-gb-of-zeros.docx',
  '20000-entries.docx',
  '100000-deep-tables.docx',
  'xxe-file.docx',
  'shared-strings.xlsx',
  'deep.json',
  'nuls.txt',
  'a page.pdf',
];
const files = hostileFiles('http://127.0.0.1:9').filter(({ name }) => names.includes(name));

let server: TestServer;
let dataDir: string;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = await startServer({ dataDir, env: { LOG_LEVEL: 'error', MAX_UNPACK_RATIO: '20', MAX_CHARACTERS: '10000000' } });
});

afterAll(async () => {
  await server.stop();
  await removeDir(dataDir);
});

describe('a server given hostile files', () => {
  it('ends each in its sentence, reads the next file, and answers throughout from the same process', async () => {
    const health = watchHealth(server);
    for (const file of files) {
      expect(await upload(server, file.name, file.bytes())).toSatisfy((said: string) => endsRight(file, said));
      expect(await upload(server, 'next.txt', `A plain file after ${file.name}.`)).toBe('read');
    }

    expect(files).toHaveLength(names.length);
    expect(await health.stop()).toMatchObject({ failed: 0 });
    expect(server.process.exitCode).toBeNull();
  });
});
