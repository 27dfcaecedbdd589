/** Somebody who receives webhooks: a real HTTP server that notes what comes and answers as told. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedWebhook = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };

export type WebhookReceiver = {
  readonly url: string;
  readonly received: ReceivedWebhook[];
  /** 200 until set. */
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void;
  close(): Promise<void>;
};

export async function startReceiver(address = '127.0.0.1'): Promise<WebhookReceiver> {
  const receiver = {
    url: '',
    received: [] as ReceivedWebhook[],
    answer: ((_request, response) => response.end()) as WebhookReceiver['answer'],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      receiver.received.push({ path: request.url ?? '', headers: request.headers, body });
      receiver.answer(request, response, receiver.received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  receiver.url = `http://${address}:${(server.address() as AddressInfo).port}`;
  return receiver;
}
