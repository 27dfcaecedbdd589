/** Many searches at once: those of clients that left are not run, those of one client do not make another wait, and none makes the server large. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const words = Array.from({ length: 400 }, (_, i) => `w${i}${String.fromCharCode(97 + (i % 26))}q`);
const longQuery = words.slice(0, 150).join(' ');

/** A search from an address of this machine, once it is sent; `answered` is the status of its answer. */
function sendFrom(address: string, url: string, query: string, signal?: AbortSignal): Promise<{ answered: Promise<number> }> {
  const body = JSON.stringify({ query, top_k: 100 });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const options = { method: 'POST', localAddress: address, headers, agent: false, ...(signal === undefined ? {} : { signal }) };
  const call = request(`${url}/search`, options);
  const answered = new Promise<number>((resolve, reject) => {
    call.once('response', (answer) => void answer.resume().once('end', () => resolve(answer.statusCode!)));
    call.once('error', reject);
  });
  answered.catch(() => undefined);
  return new Promise((resolve, reject) => {
    call.once('error', reject);
    call.end(body, () => resolve({ answered }));
  });
}

async function searchFrom(address: string, url: string, query: string, signal?: AbortSignal): Promise<number> {
  return (await sendFrom(address, url, query, signal)).answered;
}

/** Sends a search and hangs up as soon as it is sent. */
async function abandon(url: string, query: string): Promise<void> {
  const { port } = new URL(url);
  const body = JSON.stringify({ query, top_k: 100 });
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  const head = `POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(head + body, () => socket.destroy());
  await once(socket, 'close');
}

async function searchesRun(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return [...metrics.matchAll(/^rag_search_seconds_count\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}

async function residentBytes({ process: { pid } }: TestServer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024;
}

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer(await engine.newPlace());
    const text = `# ${'\n'.repeat(300_000)}${words.join(' ')}\u200b${' \u200b'.repeat(100_000)}`;
    for (let i = 0; i < 8; i += 1) {
      const body = Array.from({ length: 8 }, (_, j) => `${words.slice(j * 40).join(' ')}${' \n'.repeat(20_000)}`).join('\n\n');
      const answer = await fetch(`${server.url}/documents/d${i}`, {
        method: 'PUT',
        body: i % 3 === 0 ? text : body,
        headers: { 'Content-Type': 'text/plain', Prefer: 'wait=60' },
      });
      expect(answer.status).toBe(200);
    }
  });

  afterAll(async () => {
    await server.kill();
    await engine[Symbol.asyncDispose]();
  });

  it('64 searches at once over documents of white space are all answered, in at most twice the memory', async () => {
    // Of a server in use: the first searches make the room that all later ones work in.
    for (let n = 0; n < 4; n += 1) await searchFrom('127.0.0.1', server.url, longQuery);
    const before = await residentBytes(server);
    let most = before;
    const searches = Array.from({ length: 64 }, () => searchFrom('127.0.0.1', server.url, longQuery));
    const all = Promise.all(searches);
    let running = true;
    void all.finally(() => (running = false));
    await until('all are answered', async () => {
      most = Math.max(most, await residentBytes(server));
      return !running;
    });

    expect(await all).toEqual(Array.from({ length: 64 }, () => 200));
    expect(most).toBeLessThan(2 * before);
  });

  it('searches that nobody waits for are not run, and another client is answered at once [S54]', async () => {
    const before = await searchesRun(server.url);
    const patient: number[] = [];
    // All of it is there before the server looks at any, however slow this process is.
    server.process.kill('SIGSTOP');
    const own: Promise<unknown>[] = [];
    for (let n = 0; n < 100; n += 1) {
      const { answered } = await sendFrom('127.0.0.1', server.url, longQuery);
      own.push(answered.then((status) => patient.push(status)));
    }
    await Promise.all(Array.from({ length: 200 }, () => abandon(server.url, longQuery)));
    const other = await sendFrom('127.0.0.2', server.url, words[0]!);
    server.process.kill('SIGCONT');
    expect(await other.answered).toBe(200);
    const meanwhile = patient.length;
    await Promise.all(own);

    // In the order of arrival it would be all 100 of them.
    expect(meanwhile).toBeLessThan(90);
    expect(patient.every((status) => status === 200)).toBe(true);
    expect((await searchesRun(server.url)) - before).toBeLessThan(200);
  });

  it('a client that has too many waiting is told when to come again, and another is not', async () => {
    let isFull = false;
    const leaves = new AbortController();
    const statuses = Array.from({ length: 200 }, async () => {
      const status = await searchFrom('127.0.0.1', server.url, longQuery, leaves.signal).catch(() => 'left');
      isFull ||= status === 503;
      return status;
    });
    await until('the line is full', () => isFull);
    expect(await searchFrom('127.0.0.2', server.url, words[0]!)).toBe(200);
    leaves.abort();
    expect(new Set(await Promise.all(statuses)).has(500)).toBe(false);
    expect(await searchFrom('127.0.0.1', server.url, words[0]!)).toBe(200);
  });
});
