import { afterEach, describe, expect, it } from 'vitest';
import { answersUntil } from '../support/batch-client.ts';
import { freePort } from '../support/free-port.ts';
import { ended, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

afterEach(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe('a batch', () => {
  it('told true of every document that it had answered when the server was killed', async () => {
    const env = { PORT: String(await freePort()) };
    const dataDir = await makeDataDir();
    server = await startServer({ dataDir, env });
    const lines = Array.from({ length: 400 }, (_, n) => JSON.stringify({ doc_id: `文档/${n}`, text: `batch document ${n}` }));

    const answers = await answersUntil(server.url, lines, 120, () => server.kill());
    server = await startServer({ dataDir, env });

    expect(answers.length).toBeGreaterThanOrEqual(120);
    for (const { doc_id, task_id } of answers) {
      expect(await ended(server.url, task_id)).toMatchObject({ doc_id, status: 'completed' });
      const content = await fetch(`${server.url}/documents/${encodeURIComponent(doc_id)}/content`);
      expect((await content.text()).trim()).toBe(`batch document ${doc_id.slice('文档/'.length)}`);
    }
  });
});
