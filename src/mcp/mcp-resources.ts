/** Documents of the caller's own collection as MCP resources, which a person picks in the client's own list: `document://DOC_ID`, with the doc_id percent-encoded. */
import type { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { nameOf, scopedId } from '../documents/document-name.ts';
import { homeOf, type Principal } from '../http/access/access.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type Reader, readDocument } from './document-text.ts';
import { sentenceFor } from './sentence.ts';

/** The newest; the tool list_documents has all. */
const listedMax = 200;
/** UTF-16 units; the tool get_document reads on where a resource ends. */
const charactersMax = 1_000_000;

/** Template: the SDK's class; the SDK is loaded by whoever calls. */
export function registerResources(
  server: McpServer,
  reader: Reader & { readonly principal: Principal; readonly logger: Logger },
  Template: typeof ResourceTemplate,
): void {
  const { services, asker, logger } = reader;
  const collection = homeOf(reader.principal);
  const template = new Template('document://{doc_id}', {
    list: async () => {
      const { documents } = await said(() => services.documents.list({ collection, limit: listedMax }, asker));
      return {
        resources: documents.map(({ docId, filename, title }) => ({
          uri: uriOf(nameOf(docId).docId),
          name: filename,
          title: title ?? filename,
          mimeType: 'text/markdown',
        })),
      };
    },
  });
  server.registerResource(
    'document',
    template,
    { title: 'Document', description: 'The text of a searchable document as Markdown.', mimeType: 'text/markdown' },
    async (uri, { doc_id: given }) => {
      const docId = scopedId({ collection, docId: docIdOf(String(given)) });
      const { text, more } = await said(() => readDocument(docId, 0, charactersMax, reader));
      const rest = `\n\n… The text continues; get_document reads it from ${text.length} on.`;
      return { contents: [{ uri: uri.href, mimeType: 'text/markdown', text: more ? text + rest : text }] };
    },
  );

  /** The SDK answers with what an error says: that of a fault of ours is for the log alone. */
  async function said<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new Error(sentenceFor(error, logger), { cause: error });
    }
  }
}

function uriOf(docId: string): string {
  return `document://${encodeURIComponent(docId)}`;
}

function docIdOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    throw new AppError('bad_request', 'The address of the resource is not valid percent-encoded UTF-8.', { cause: error });
  }
}
