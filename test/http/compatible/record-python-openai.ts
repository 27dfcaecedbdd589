/**
 * Writes down what OpenAI's Python package sends when it runs the example of docs/integrations.md, for machines without it: `python-openai.json`,
 * which `python-openai.test.ts` sends again. Needs `pip install openai`. `node test/http/compatible/record-python-openai.ts`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { makeDataDir, removeDir, startServer } from '../../support/server.ts';

export type RecordedRequest = {
  readonly method: string;
  /** With `{vector_store}` and `{file}` where their ids were. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

if (import.meta.main) {
  const page = await readFile(new URL('../../../docs/integrations.md', import.meta.url), 'utf8');
  const code = /```python\n# openai_client\.py\n([^]*?)```/.exec(page)![1]!;
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir });
  const recorded: RecordedRequest[] = [];
  const names = new Map<string, string>();
  const proxy = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const { host: _host, connection: _connection, 'content-length': _length, authorization: _key, ...headers } = request.headers;
      recorded.push({
        method: request.method!,
        path: named(request.url!),
        headers: headers as Record<string, string>,
        body: named(body.toString('utf8')),
      });
      const answer = await fetch(server.url + request.url!, {
        method: request.method!,
        headers: headers as Record<string, string>,
        ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
      });
      const text = await answer.text();
      const { object, id } = JSON.parse(text) as { object: string; id: string };
      if ((object === 'vector_store' || object === 'file') && !names.has(id)) names.set(id, `{${object}}`);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    })();
  });
  const named = (text: string): string => [...names].reduce((so, [id, name]) => so.replaceAll(id, name), text);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const python = spawn('python3', ['-c', code], {
    env: { ...process.env, RAG_INTAKE_URL: url, RAG_INTAKE_KEY: 'none' },
    stdio: 'inherit',
  });
  await once(python, 'exit');
  proxy.close();
  await server.stop();
  await removeDir(dataDir);
  await writeFile(new URL('python-openai.json', import.meta.url), `${JSON.stringify(recorded, null, 2)}\n`);
  console.log(recorded.map(({ method, path }) => `${method} ${path}`).join('\n'));
}
