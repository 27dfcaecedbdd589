/** Damage at rest, found and mended by a server that runs. */
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { documentFolder } from '../../src/documents/file-store.ts';
import { insert, makeDataDir, removeDir, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 240_000 });

it('a text that was cut is made again, an original that was changed is told of, in the log, the figures and the metrics', async () => {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { CHECK_EVERY_MINUTES: '0.01' } });
  try {
    for (const docId of ['cut', 'changed', 'sound'])
      await insert(server.url, docId, { name: 'a.txt', bytes: `The text of ${docId}, about pumps.` });
    const content = async (docId: string): Promise<string> => (await fetch(`${server.url}/documents/${docId}/content`)).text();
    const before = await content('cut');
    await truncate(await partOf(dataDir, 'cut', 'content.md'), 3);
    await writeFile(await partOf(dataDir, 'changed', 'original'), 'other bytes');

    const status = async (): Promise<object> => (await (await fetch(`${server.url}/status`)).json()) as object;
    await until('both are found', async () => {
      const { documents_damaged, documents_mended } = (await status()) as { documents_damaged: number; documents_mended: number };
      return documents_damaged === 1 && documents_mended === 1;
    });

    expect(await content('cut')).toBe(before);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^rag_documents_damaged 1$/m);
    expect(metrics).toMatch(/^rag_documents_mended_total 1$/m);
    expect(server.log()).toContain('"docId":"cut","what":"content.md changed","msg":"a stored document was damaged and is mended"');
    expect(server.log()).toContain('"docId":"changed","what":"original changed"');
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
});

async function partOf(dataDir: string, docId: string, part: string): Promise<string> {
  const folder = join(dataDir, 'documents', documentFolder(docId));
  const version = (await readdir(folder)).find((name) => /^[0-9a-f-]{36}$/.test(name))!;
  return join(folder, version, part);
}
