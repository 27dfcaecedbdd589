/** A local HTTP server in place of a model service: answers what the test says, and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ModelRequest = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
};
export type ModelAnswer = (request: ModelRequest, response: ServerResponse) => void;

export interface ModelServer {
  readonly url: string;
  readonly requests: readonly ModelRequest[];
  /** What it answers from now on. */
  answer: ModelAnswer;
  close(): Promise<void>;
}

export async function startModelServer(answer: ModelAnswer): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const http = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>;
      const received = { path: request.url ?? '', headers: request.headers, body };
      requests.push(received);
      server.answer(received, response);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: ModelServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    answer,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

/** Sends JSON. */
export function json(response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** Vectors of 8 dimensions by subject: texts about the same of these words point the same way. */
const subjects = [
  ['cat', 'kitten', '猫'],
  ['car', 'engine', '汽车'],
  ['bread', 'flour', '面包'],
  ['law', 'court', '法院'],
];

export function subjectVector(text: string): number[] {
  return subjects.flatMap((words) => (words.some((word) => text.toLowerCase().includes(word)) ? [1, 1] : [-0.1, -0.1]));
}

/** Answers like an OpenAI-compatible embeddings service, last text first, which the index numbers put right. */
export const answerEmbeddings: ModelAnswer = ({ body }, response) => {
  const data = (body['input'] as string[]).map((text, index) => ({ index, embedding: subjectVector(text) }));
  json(response, { data: data.reverse() });
};
