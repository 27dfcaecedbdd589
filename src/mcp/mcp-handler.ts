/**
 * The MCP server (Model Context Protocol, streamable HTTP) without sessions: each POST is answered on its own with JSON, so
 * any number of front ends can serve one client. The SDK is an optional dependency and is loaded only here.
 */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Logger } from '../logger.ts';
import { registerTools, type ToolCaller } from './mcp-tools.ts';

export type McpCall = Omit<ToolCaller, 'logger'> & {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly requestId: string;
};

export type McpReply = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type McpHandler = (call: McpCall) => Promise<McpReply>;

const instructions =
  'Search this collection of documents and cite what you find: each hit has a citation with the file name, the page and offsets ' +
  'into the text that get_document reads. Documents inserted with insert_document are searchable once their task is completed.';

/** @throws Error that says what to install, where the SDK is not. */
export async function createMcpHandler({ version, logger }: { version: string; logger: Logger }): Promise<McpHandler> {
  const { McpServer, Transport } = await loadSdk();

  return async ({ headers, body, requestId, ...caller }) => {
    const server: McpServer = new McpServer({ name: 'rag-intake', version }, { instructions });
    registerTools(server, { ...caller, logger: logger.child({ requestId }) });
    const transport = new Transport({ enableJsonResponse: true });
    transport.onerror = (error: Error) => logger.debug({ err: error }, 'an MCP request was refused');
    try {
      await server.connect(transport);
      // The URL is not looked at; Host and Origin were judged before.
      const response = await transport.handleRequest(new Request('http://localhost/mcp', { method: 'POST', headers }), {
        parsedBody: body,
      });
      return { status: response.status, headers: contentType(response), body: await response.text() };
    } finally {
      await server.close();
    }
  };
}

function contentType({ headers }: Response): Record<string, string> {
  const type = headers.get('content-type');
  return type === null ? {} : { 'Content-Type': type };
}

async function loadSdk() {
  try {
    const [{ McpServer }, { WebStandardStreamableHTTPServerTransport }] = await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
    ]);
    return { McpServer, Transport: WebStandardStreamableHTTPServerTransport };
  } catch (error) {
    throw new Error('MCP=on needs the package @modelcontextprotocol/sdk: npm install @modelcontextprotocol/sdk', { cause: error });
  }
}
