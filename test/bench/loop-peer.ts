/**
 * The peer: a server in the plain in-memory design, a dictionary of tasks processed on the event loop itself in slices of
 * 100 ms, as cooperative code that yields now and then does. Run in a thread of its own so that only its own loop suffers.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

export async function startLoopPeer(): Promise<{ url: string; close: () => Promise<void> }> {
  const worker = new Worker(new URL(import.meta.url));
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  return { url: `http://127.0.0.1:${port}`, close: async () => void (await worker.terminate()) };
}

if (!isMainThread && parentPort !== null) serve(parentPort);

function serve(parent: NonNullable<typeof parentPort>): void {
  const tasks = new Map<string, { status: string }>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-type', 'application/json');
    if (request.method === 'POST') {
      const id = String(tasks.size);
      tasks.set(id, { status: 'pending' });
      void work(id, Number(url.searchParams.get('busy_ms')));
      response.end(JSON.stringify({ task_id: id }));
    } else {
      response.end(JSON.stringify({ task_id: url.pathname.split('/')[2], ...tasks.get(url.pathname.split('/')[2] ?? '') }));
    }
  });
  server.listen(0, '127.0.0.1', () => parent.postMessage((server.address() as AddressInfo).port));

  async function work(id: string, ms: number): Promise<void> {
    tasks.set(id, { status: 'processing' });
    for (let done = 0; done < ms; done += 100) {
      const end = performance.now() + 100;
      while (performance.now() < end);
      await new Promise((resolve) => setImmediate(resolve));
    }
    tasks.set(id, { status: 'completed' });
  }
}
