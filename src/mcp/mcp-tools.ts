/** The tools that a language model gets: insert, follow, cancel, list, search, read, delete. The same use cases as over HTTP. */
import { askedCollection, askedCollections } from '../http/access/asked-collection.ts';
import { nameOf, scopedId } from '../documents/document-name.ts';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { AuditEvent } from '../http/live/audit-log.ts';
import { asSeenBy, mayAccess, type Principal } from '../http/access/access.ts';
import { receiveBytes } from '../http/upload/bytes-upload.ts';
import { cleanFilename } from '../http/upload/content-disposition.ts';
import { strictly } from '../http/wire/input.ts';
import { loggable } from '../http/log-text.ts';
import * as schemas from '../http/wire/schemas.ts';
import { allows } from '../http/access/scope.ts';
import type { Services } from '../http/services.ts';
import { describeDocument, toSearchReply, toTaskRecord, type WireOptions } from '../http/wire/wire.ts';
import type { Logger } from '../logger.ts';
import { documentNotFound, readDocument } from './document-text.ts';
import { sentenceFor } from './sentence.ts';
import { searchModes } from '../search/document-index.ts';
import type { Asker } from '../search/turns.ts';
import { describingFields, toDescription } from '../http/wire/given.ts';
import type { TaskId, TaskSnapshot } from '../tasks/task.ts';

/** What the SDK hands to a tool beside its arguments. */
type ToolExtra = Pick<RequestHandlerExtra<ServerRequest, ServerNotification>, '_meta' | 'sendNotification'>;

export type ToolCaller = {
  readonly services: Services;
  readonly principal: Principal;
  /** Notes what was done for the audit log. */
  readonly audit: (event: AuditEvent) => void;
  readonly wire: WireOptions;
  readonly documentBytesMax: number;
  /** Its lines carry the request's id. */
  readonly logger: Logger;
  /** Aborts when the client has gone or the server is stopping. */
  readonly signal: AbortSignal;
  readonly asker: Asker;
};

const inCollection = { collection: schemas.collectionName.optional() };
const waitSecondsMax = 60;
const readCharactersMax = 100_000;
const listedMax = 200;
const readReply = z.strictObject({
  document: schemas.documentRecord,
  text: z.string(),
  start: z.int().min(0),
  end: z.int().min(0).describe('Where to continue reading.'),
  more: z.boolean(),
});
const taskIdPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The answer of a tool: clients take no schema whose outermost part is a reference, as one with an id of its own would be. */
function answering<S extends z.ZodRawShape>(schema: z.ZodObject<S>): z.ZodObject<S> {
  return z.strictObject(schema.shape) as unknown as z.ZodObject<S>;
}

/** Registers what this caller may use: a key that only reads is not even shown the tools that write. */
export function registerTools(server: McpServer, caller: ToolCaller): void {
  registerReading(server, caller);
  if (allows(caller.principal.scope, 'write')) registerWriting(server, caller);
}

function registerReading(server: McpServer, caller: ToolCaller): void {
  const { services, wire } = caller;
  server.registerTool(
    'search',
    {
      title: 'Search documents',
      description:
        'Finds the passages that answer a query, in any language, each with its citation (document, page, section, offsets).',
      inputSchema: strictly('argument', {
        query: z.string().min(1).max(2000),
        top_k: z.int().min(1).max(50).default(5).describe('Passages to return.'),
        mode: z.enum(searchModes).default('hybrid'),
        doc_ids: z.array(schemas.docId).max(100).optional().describe('Only in these documents.'),
        filters: schemas.filterSchema.optional(),
        min_relevance: z
          .number()
          .min(0)
          .max(1)
          .optional()
          .describe('Leave out less relevant passages; 0.34 leaves out most other subjects.'),
        collections: schemas.collections.optional(),
        ...inCollection,
      }),
      outputSchema: answering(schemas.searchReply),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ query: text, top_k, mode, doc_ids, filters, min_relevance, ...where }) =>
      answer(caller.logger, async () => {
        if (text.trim() === '' || !text.isWellFormed())
          throw new AppError('invalid_request', 'query: must have something to search for');
        const filter = {
          ...(doc_ids === undefined ? {} : { docIds: doc_ids }),
          ...(filters === undefined ? {} : { filters }),
        };
        const minRelevance = min_relevance === undefined ? {} : { minRelevance: min_relevance };
        const collections = await askedCollections(caller, where);
        const query = { query: text, mode, topK: top_k, offset: 0, filter, collections, ...minRelevance };
        const found = await services.search.search(query, caller.asker);
        caller.audit({ event: 'search', collections, hits: found.hits.length, query: text });
        return toSearchReply(query, found, wire);
      }),
  );
  server.registerTool(
    'get_task',
    {
      title: 'Follow a task',
      description:
        'Shows how far an inserted document has been processed; with wait_seconds it returns as soon as the task has finished.',
      inputSchema: strictly('argument', {
        task_id: z.string(),
        wait_seconds: z.int().min(0).max(waitSecondsMax).default(0),
      }),
      outputSchema: answering(schemas.taskRecord),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ task_id, wait_seconds }, extra) =>
      answer(caller.logger, async () => {
        const { task } = await ownTask(task_id, caller);
        return followTask(task.id, wait_seconds, caller, extra);
      }),
  );
  server.registerTool(
    'get_document',
    {
      title: 'Read a document',
      description: 'Returns the text of a searchable document as Markdown, from an offset on; citations give such offsets.',
      inputSchema: strictly('argument', {
        doc_id: schemas.docId,
        ...inCollection,
        start: z.int().min(0).default(0).describe('UTF-16 offset into the text.'),
        max_characters: z.int().min(1).max(readCharactersMax).default(20_000),
      }),
      outputSchema: readReply,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ doc_id, collection, start, max_characters }) =>
      answer(caller.logger, async () => {
        const asked = scopedId({ collection: await askedCollection(caller, collection), docId: doc_id });
        return readDocument(asked, start, max_characters, caller);
      }),
  );
  server.registerTool(
    'list_documents',
    {
      title: 'List documents',
      description: 'Lists the searchable documents, newest first; next_cursor, if it is not null, leads to the rest.',
      inputSchema: strictly('argument', {
        ...inCollection,
        filters: schemas.filterSchema.optional(),
        limit: z.int().min(1).max(listedMax).default(50),
        cursor: z.string().optional().describe('next_cursor of the previous page.'),
      }),
      outputSchema: answering(schemas.documentPage),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ collection: asked, limit, cursor, filters }) =>
      answer(caller.logger, async () => {
        const collection = await askedCollection(caller, asked);
        const page = await services.documents.list(
          { collection, limit, ...(cursor === undefined ? {} : { cursor }), ...(filters === undefined ? {} : { filters }) },
          caller.asker,
        );
        return {
          documents: page.documents.map((document) => describeDocument(document, wire)),
          next_cursor: page.nextCursor,
        };
      }),
  );
}

function registerWriting(server: McpServer, caller: ToolCaller): void {
  const { services, documentBytesMax, logger } = caller;
  server.registerTool(
    'insert_document',
    {
      title: 'Insert a document',
      description: `Stores a file and makes its text searchable; the same doc_id again replaces it. Give its text, or its bytes in base64 (${documentBytesMax} bytes at most).`,
      inputSchema: strictly('argument', {
        doc_id: schemas.docId,
        ...inCollection,
        filename: z.string().min(1).max(255).describe('File name with its ending, such as report.pdf.'),
        text: z.string().optional(),
        content_base64: z
          .string()
          .regex(/^[A-Za-z0-9+/]*={0,2}$/, { message: 'must be base64' })
          .optional(),
        ...describingFields,
        wait_seconds: z.int().min(0).max(waitSecondsMax).default(30).describe('How long to wait for it to become searchable.'),
      }),
      outputSchema: answering(schemas.taskRecord),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    (given, extra) => answer(caller.logger, () => insertDocument(given, caller, extra)),
  );
  server.registerTool(
    'cancel_task',
    {
      title: 'Cancel a task',
      description: 'Cancels a waiting task, with force also one that is being processed; its document does not become searchable.',
      inputSchema: strictly('argument', { task_id: z.string(), force: z.boolean().default(false) }),
      outputSchema: answering(schemas.taskCancelled),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    ({ task_id, force }) =>
      answer(caller.logger, async () => {
        const { task } = await ownTask(task_id, caller);
        const cancelled = await services.tasks.cancel(task.id, { force });
        if (cancelled.outcome === 'gone') throw taskNotFound();
        if (cancelled.outcome === 'cancelled') {
          logger.info({ taskId: task.id, keyId: caller.principal.keyId }, 'task cancelled');
          return { message: 'Task cancelled', task_id: task.id };
        }
        const status = cancelled.outcome === 'processing' ? 'processing' : cancelled.task.status;
        throw new AppError('not_cancellable', `Cannot cancel task in ${status} status`);
      }),
  );
  server.registerTool(
    'delete_document',
    {
      title: 'Delete a document',
      description: 'Deletes a document from search, content and disk, and cancels its waiting tasks. This cannot be undone.',
      inputSchema: strictly('argument', { doc_id: schemas.docId, ...inCollection }),
      outputSchema: answering(schemas.documentDeleted),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    ({ doc_id, collection: asked }) =>
      answer(caller.logger, async () => {
        const collection = await askedCollection(caller, asked);
        if (!(await services.documents.remove(scopedId({ collection, docId: doc_id }), caller.asker))) throw documentNotFound();
        caller.audit({ event: 'delete', collection, docId: doc_id, documents: 1 });
        logger.info({ docId: loggable(doc_id), collection, keyId: caller.principal.keyId }, 'document deleted');
        return { message: 'Document deleted', doc_id };
      }),
  );

  async function insertDocument(
    given: {
      doc_id: string;
      collection?: string | undefined;
      filename: string;
      text?: string | undefined;
      content_base64?: string | undefined;
      wait_seconds: number;
    } & Parameters<typeof toDescription>[0],
    { principal, asker }: ToolCaller,
    extra: ToolExtra,
  ): Promise<object> {
    const bytes = bytesOf(given);
    const docId = scopedId({ collection: await askedCollection(caller, given.collection), docId: given.doc_id });
    const filename = cleanFilename(given.filename) || 'file';
    if (bytes.length > documentBytesMax) throw new AppError('invalid_document', `Invalid document: File too large: ${filename}`);
    const receipt = await receiveBytes(services.uploads, bytes);
    const task = await services.uploads.submit({
      receipt,
      docId,
      filename,
      declaredMediaType: null,
      ...toDescription(given),
      keyId: principal.keyId,
      caller: asker.client,
      callbackUrl: null,
    });
    const { id: taskId, fileBytes, keyId } = task;
    const name = nameOf(task.docId);
    caller.audit({ event: 'insert', ...name, taskId });
    logger.info(
      { taskId, ...name, docId: loggable(name.docId), filename: loggable(task.filename), fileBytes, keyId },
      'upload accepted',
    );
    return followTask(task.id, given.wait_seconds, caller, extra);
  }
}

/**
 * The task as it is when it has ended, or when the time is over; meanwhile its progress goes to a client that asked for it. What a
 * client does not take any more is not worth ending the call for.
 */
async function followTask(
  id: TaskId,
  waitSeconds: number,
  { services, wire, signal, principal }: ToolCaller,
  { _meta, sendNotification }: ToolExtra,
): Promise<object> {
  const progressToken = _meta?.progressToken;
  let told = -1;
  const tell = ({ task, progress }: TaskSnapshot): void => {
    const percent = progress.percent;
    if (percent <= told || progressToken === undefined) return;
    told = percent;
    const params = { progressToken, progress: percent, total: 100, message: `${task.filename}: ${progress.stage}` };
    sendNotification({ method: 'notifications/progress', params }).catch(() => {});
  };
  const stop = progressToken === undefined ? () => {} : services.tasks.watch(id, tell);
  try {
    const snapshot = await services.tasks.wait(id, waitSeconds * 1000, signal);
    if (snapshot === null) throw taskNotFound();
    return toTaskRecord(asSeenBy(principal, snapshot), wire);
  } finally {
    stop();
  }
}

function bytesOf({ text, content_base64 }: { text?: string | undefined; content_base64?: string | undefined }): Buffer {
  if ((text === undefined) === (content_base64 === undefined))
    throw new AppError('invalid_request', 'Give either text or content_base64, but not both.');
  return text === undefined ? Buffer.from(content_base64!, 'base64') : Buffer.from(text, 'utf8');
}

async function ownTask(id: string, { services, principal }: ToolCaller): Promise<TaskSnapshot> {
  const snapshot = taskIdPattern.test(id) ? await services.tasks.get(id as TaskId) : null;
  if (snapshot === null || !mayAccess(principal, snapshot.task)) throw taskNotFound();
  return snapshot;
}

function taskNotFound(): AppError {
  return new AppError('not_found', 'Task not found');
}

/** What was expected to go wrong is an answer for the model; anything else is a fault of ours: the log has it, the model a sentence. */
async function answer(logger: Logger, work: () => Promise<object>): Promise<CallToolResult> {
  try {
    const value = await work();
    return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: { ...value } };
  } catch (error) {
    return { isError: true, content: [{ type: 'text', text: sentenceFor(error, logger) }] };
  }
}
