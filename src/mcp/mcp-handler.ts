/**
 * The MCP server (Model Context Protocol, streamable HTTP) without sessions: each POST is answered on its own, so any number of
 * front ends can serve one client: with JSON, or with events where the client asks to be told of the progress. The SDK is an
 * optional dependency and is loaded only here.
 */
import { finished, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Logger } from '../logger.ts';
import { registerResources } from './mcp-resources.ts';
import { registerTools, type ToolCaller } from './mcp-tools.ts';

export type McpCall = Omit<ToolCaller, 'logger'> & {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly requestId: string;
};

/** `body`: a stream of events ends with the last answer; giving it up ends the call. */
export type McpReply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
};

export type McpHandler = (call: McpCall) => Promise<McpReply>;

const instructions =
  'Search this collection of documents and cite what you find: each hit has a citation with the file name, the page and offsets ' +
  'into the text that get_document reads. Documents inserted with insert_document are searchable once their task is completed.';

/** @throws Error that says what to install, where the SDK is not. */
export async function createMcpHandler({ version, logger }: { version: string; logger: Logger }): Promise<McpHandler> {
  const { McpServer, ResourceTemplate, Transport } = await loadSdk();

  return async ({ headers, body, requestId, ...caller }) => {
    const server: McpServer = new McpServer({ name: 'rag-intake', version }, { instructions });
    const log = logger.child({ requestId });
    registerTools(server, { ...caller, logger: log });
    registerResources(server, { ...caller, logger: log }, ResourceTemplate);
    const isTold = wantsProgress(body);
    const transport = new Transport({ enableJsonResponse: !isTold });
    transport.onerror = (error: Error) => log.debug({ err: error }, 'an MCP request was refused');
    let streams = false;
    try {
      await server.connect(transport);
      // The URL is not looked at; Host and Origin were judged before.
      const response = await transport.handleRequest(new Request('http://localhost/mcp', { method: 'POST', headers }), {
        parsedBody: body,
      });
      const { status } = response;
      streams = isTold && response.body !== null && contentType(response)['Content-Type'] === 'text/event-stream';
      if (!streams) return { status, headers: contentType(response), body: await response.text() };
      const events = Readable.fromWeb(response.body as ReadableStream);
      finished(events, () => void server.close());
      return { status, headers: eventHeaders, body: events };
    } finally {
      if (!streams) await server.close();
    }
  };
}

/** Not kept back by a proxy, as the other event streams. */
const eventHeaders = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' };

/** Whether a call asks for notifications of its progress (`params._meta.progressToken`). */
function wantsProgress(body: unknown): boolean {
  const params = (body as { params?: { _meta?: { progressToken?: unknown } | null } | null } | null)?.params;
  return params?._meta?.progressToken !== undefined;
}

function contentType({ headers }: Response): Record<string, string> {
  const type = headers.get('content-type');
  return type === null ? {} : { 'Content-Type': type };
}

async function loadSdk() {
  try {
    const [{ McpServer, ResourceTemplate }, { WebStandardStreamableHTTPServerTransport }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
    ]);
    return { McpServer, ResourceTemplate, Transport: WebStandardStreamableHTTPServerTransport };
  } catch (error) {
    throw new Error('MCP=on needs the package @modelcontextprotocol/sdk: npm install @modelcontextprotocol/sdk', { cause: error });
  }
}
