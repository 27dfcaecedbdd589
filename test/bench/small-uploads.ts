/** Small texts as `small` and `beside` send them: the bytes themselves, until the answer that says they are searchable. */
import { Agent, request } from 'node:http';
import { createText } from './made-text.ts';

const text = createText(11);

/** 200 words, some 1.4 KB; never the same twice. */
export function smallText(): Buffer {
  return Buffer.from(text.words(200));
}

export type Sender = { send(docId: string, body: Buffer): Promise<void>; close(): void };

/** @throws when an answer is not the finished task. */
export function senderTo(url: string, connectionsMax: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  return {
    send: (docId, body) => send(`${url}/documents/${docId}?filename=${docId}.txt`, body, agent),
    close: () => agent.destroy(),
  };
}

function send(url: string, body: Buffer, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/plain', 'content-length': body.length };
    const sent = request(url, { method: 'PUT', agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () => {
        const answer = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered ${response.statusCode}: ${answer}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
