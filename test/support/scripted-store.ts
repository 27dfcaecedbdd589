/** A server that answers each request as it is told, in place of an object store in every kind of trouble. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openS3 } from '../../src/storage/objects/s3.ts';
import { parseFilesUrl } from '../../src/storage/objects/files-url.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { objectCredentials } from './object-server.ts';

export type Reply = (request: IncomingMessage, response: ServerResponse) => void;

export type ScriptedStore = AsyncDisposable & {
  readonly store: ObjectStore;
  readonly filesUrl: string;
  /** Method and path of what was asked, in order. */
  readonly asked: readonly string[];
};

/** Every request is answered by the next reply, and by the last one once there are no more. `silenceMs`: what the client waits for. */
export async function startScriptedStore(replies: readonly Reply[], silenceMs = 10_000): Promise<ScriptedStore> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const reply = replies[Math.min(asked.length, replies.length - 1)]!;
    asked.push(`${request.method} ${request.url}`);
    reply(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const filesUrl = `s3://bucket?endpoint=http://127.0.0.1:${port}&region=here`;
  return {
    filesUrl,
    store: await openS3({ ...parseFilesUrl(filesUrl)!, ...objectCredentials, pauseMs: 1, silenceMs }),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Once all of the request is there. */
export function answer(status: number, body = '', headers: Record<string, string> = {}): Reply {
  return (request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  };
}

export function errorAnswer(status: number, code: string, headers: Record<string, string> = {}): Reply {
  return answer(status, `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Key>secret name</Key></Error>`, headers);
}

export const silence: Reply = () => undefined;
