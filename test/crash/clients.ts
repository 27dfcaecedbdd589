/** Clients as servers meet them: some break off, some dawdle, some stop talking in the middle; and what a process holds meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawConnection } from '../support/http-server.ts';
import { insert } from '../support/server.ts';
import { until } from '../support/until.ts';

/** Clients of each kind have an address of their own: uploads at once are bounded for each. */
const addresses = { brokenOff: '127.0.0.2', dribbling: '127.0.0.3', halfClosed: '127.0.0.4' };

type Connection = Awaited<ReturnType<typeof rawConnection>>;

/** The bytes of an upload of `bytes` bytes, as a browser sends them. */
export function uploadRequest(docId: string, bytes: number): Buffer {
  const body = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="合同.txt"\r\nContent-Type: text/plain\r\n\r\n'),
    Buffer.alloc(bytes, 'text of a contract, '),
    Buffer.from('\r\n--b--\r\n'),
  ]);
  const lines = [
    `POST /insert?doc_id=${docId} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: multipart/form-data; boundary=b',
    `Content-Length: ${body.byteLength}`,
    'Prefer: respond-async',
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** Sends what is given and goes away without a word. */
export async function breakOff(port: number, bytes: Buffer): Promise<void> {
  const { socket, closed } = await rawConnection(port, addresses.brokenOff);
  await new Promise<void>((resolve) => void socket.write(bytes, () => resolve()));
  socket.destroy();
  await closed;
}

/** Sends `first` at once, then a byte every `everyMs`, until the server has had enough. Resolves to its answer and when it came. */
export async function dribble(port: number, first: Buffer, everyMs: number): Promise<{ answer: string; ms: number }> {
  const startedAt = performance.now();
  const connection = await rawConnection(port, addresses.dribbling);
  connection.socket.write(first);
  const timer = setInterval(() => void connection.socket.write('x'), everyMs);
  await firstAnswer(connection);
  const ms = performance.now() - startedAt;
  clearInterval(timer);
  connection.socket.destroy();
  return { answer: connection.received(), ms };
}

/** Sends `first`, says that it will send no more, and stays until the server closes. */
export async function halfClose(port: number, first: Buffer): Promise<void> {
  const { socket, closed } = await rawConnection(port, addresses.halfClosed);
  socket.write(first);
  socket.end();
  await closed;
}

function firstAnswer({ socket, closed }: Connection): Promise<unknown> {
  return Promise.race([closed, new Promise((resolve) => socket.once('data', resolve))]);
}

/** An honest client: uploads and looks, one after the other, until told to stop. Resolves to how long each request took, in ms. */
export async function honestClient(url: string, signal: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  for (let count = 0; !signal.aborted; count += 1) {
    const before = performance.now();
    const answer =
      count % 2 === 0
        ? await fetch(`${url}/tasks?limit=20`)
        : await insert(url, `honest-${count % 10}`, { name: 'a.txt', bytes: `text ${count}` }, { prefer: 'respond-async' });
    await answer.arrayBuffer();
    if (answer.status >= 400) throw new Error(`an honest client was answered ${answer.status}`);
    waits.push(performance.now() - before);
    await sleep(50);
  }
  return waits;
}

/**
 * The fewest descriptors that a process has once the connections that its clients kept alive are closed: as soon as there are
 * no more than `wanted`, or when none fewer were seen for 6 s (30 s when there are more than wanted). The fewest, since a
 * server at rest opens a file now and then too, for a moment.
 */
export async function openFilesAtRest(pid: number, wanted = Infinity): Promise<number> {
  const patienceMs = wanted === Infinity ? 6_000 : 30_000;
  let fewest = Infinity;
  let fewerAt = performance.now();
  await until('the descriptors have settled', () => {
    const now = readdirSync(`/proc/${pid}/fd`).length;
    if (now < fewest) [fewest, fewerAt] = [now, performance.now()];
    return (wanted !== Infinity && fewest <= wanted) || performance.now() - fewerAt >= patienceMs;
  });
  return fewest;
}

/** Resident memory in megabytes. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? NaN) / 1024;
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
