/** The two servers that `accept` is held against; the first argument says which, the second where to write. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [which, dataDir] = process.argv.slice(2) as [string, string];
const tasks = new Map<string, { status: string; bytes: number; body: Buffer | null }>();

const server = createServer((request, response) => void (which === 'limit' ? pipe(request, response) : keep(request, response)));
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/insert`));

/** No multipart, no hash, no record: bytes to the disk, flushed. Nothing that keeps a file can be faster. */
async function pipe(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = String(tasks.size);
  tasks.set(id, { status: 'pending', bytes: 0, body: null });
  await pipeline(request, createWriteStream(join(dataDir, id), { flush: true }));
  answer(response, id);
}

/** The whole upload in memory, a dictionary of tasks, the work on the event loop; nothing survives the process. */
async function keep(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const start = body.indexOf('\r\n\r\n') + 4;
  const file = body.subarray(start, body.lastIndexOf('\r\n--'));
  const id = String(tasks.size);
  tasks.set(id, { status: 'pending', bytes: file.length, body: file });
  answer(response, id);
  setImmediate(() => work(id, file));
}

function work(id: string, file: Buffer): void {
  createHash('sha256').update(file).digest();
  tasks.set(id, { status: 'failed', bytes: file.length, body: null });
}

function answer(response: ServerResponse, id: string): void {
  response.writeHead(202, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ task_id: id, status_url: `/task/${id}` }));
}
