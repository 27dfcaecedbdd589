/**
 * MCP over stdio for programs that start their servers themselves (Claude Desktop, editors): every message goes to the server's
 * `/mcp` and back, so that tools, keys and limits are those of the server. Standard output belongs to the protocol.
 */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { CliError, exitCodes } from './cli-error.ts';

export type McpBridgeOptions = {
  /** The server's, without a path. */
  readonly url: string;
  readonly key: string | null;
  /** What tools and resources are about that name none; null: the key's own. */
  readonly collection: string | null;
  /** Tells a person, on standard error. */
  readonly note: (sentence: string) => void;
};

/** JSON-RPC's code for a fault on the way. */
const internalError = -32_603;

/**
 * Runs until standard input ends.
 * @throws CliError `settings` when the SDK is not installed.
 */
export async function bridgeMcp({ url, key, collection, note }: McpBridgeOptions): Promise<void> {
  const { StdioServerTransport, StreamableHTTPClientTransport } = await loadSdk();
  const here = new StdioServerTransport();
  const query = collection === null ? '' : `?${new URLSearchParams({ collection }).toString()}`;
  const there = new StreamableHTTPClientTransport(new URL(`${url.replace(/\/$/, '')}/mcp${query}`), {
    requestInit: { headers: key === null ? {} : { authorization: `Bearer ${key}` } },
  }) as unknown as Transport;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const onTheirWay = new Set<Promise<void>>();

  here.onmessage = (message) => {
    const sent = forward(message);
    onTheirWay.add(sent);
    void sent.finally(() => onTheirWay.delete(sent));
  };
  there.onmessage = (message) => void here.send(message);
  here.onclose = end;
  process.stdin.once('end', end);
  await there.start();
  await here.start();
  await ended;
  await Promise.all(onTheirWay);
  await there.close();
  await here.close();

  /** What cannot be brought to the server is answered here: a client that waits for ever shows nothing. */
  async function forward(message: JSONRPCMessage): Promise<void> {
    try {
      await there.send(message);
    } catch (error) {
      const sentence = explain(error, url, collection);
      note(sentence);
      if ('method' in message && 'id' in message)
        await here.send({ jsonrpc: '2.0', id: message.id, error: { code: internalError, message: sentence } });
    }
  }
}

function explain(error: unknown, url: string, collection: string | null): string {
  const status = Number((error as { code?: unknown }).code);
  if (status === 404 && collection !== null)
    return `${url} has no collection ${collection} for this key, or no MCP; start it with MCP=on.`;
  if (status === 404 || status === 405) return `${url} has no MCP; start it with MCP=on.`;
  if (status === 401) return `${url} requires a valid API key: set RAG_INTAKE_KEY.`;
  if (status === 429 || status === 503) return `${url} is busy; try again in a moment.`;
  if (status >= 400) return `${url} answered ${status}.`;
  return `${url} cannot be reached. Is it running? Check RAG_INTAKE_URL.`;
}

async function loadSdk() {
  try {
    const [{ StdioServerTransport }, { StreamableHTTPClientTransport }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/stdio.js'),
      import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    ]);
    return { StdioServerTransport, StreamableHTTPClientTransport };
  } catch (error) {
    const sentence = 'MCP needs the package @modelcontextprotocol/sdk: npm install @modelcontextprotocol/sdk';
    throw Object.assign(new CliError(sentence, exitCodes.settings), { cause: error });
  }
}
