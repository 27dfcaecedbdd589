import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
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

type Told = { readonly doc_id: string; readonly task_id: string };

/** Whole lines of the answer; after `count` of them `then` happens, and what had come before the end counts too. */
async function answersUntil(url: string, lines: readonly string[], count: number, then: () => Promise<void>): Promise<Told[]> {
  const sent = request(`${url}/documents:batch`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject));
  sent.end(lines.join('\n'));
  let text = '';
  let killing: Promise<void> | null = null;
  try {
    for await (const piece of await answered) {
      text += (piece as Buffer).toString('utf8');
      if (killing === null && text.split('\n').length > count) killing = then();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  }
  await (killing ?? then());
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told);
}
