/**
 * Every shape on the wire, once: requests are validated with these, answers are held against them in tests,
 * and OpenAPI is made from them. Both are strict: a field of an answer that is not here is a bug, one of a request is refused.
 */
import 'zod-openapi';
import { z } from 'zod';
import { documentOrders, searchModes } from '../../search/document-index.ts';
import { passwordCharactersMax } from '../../tasks/given.ts';
import { taskStages, taskStatuses } from '../../tasks/task.ts';
import { problemCodes } from './problem.ts';
import { describedAs } from './checked.ts';
import { taskOrders } from '../../tasks/task-store.ts';
import { filterSchema, filterText } from './filters.ts';
import { describedFields, describingFields, givenFields } from './given.ts';

export { filterSchema } from './filters.ts';
export { metadata } from './given.ts';

const docIdCharactersMax = 256;

/** A document's name; `missing` is said where there is none. */
function docIdText(missing?: string): z.ZodType<string, string> {
  return (
    z
      .string({ error: ({ input }) => (input === undefined ? missing : undefined) })
      .refine((text) => text.length > 0 && text.length <= 2 * docIdCharactersMax && Array.from(text).length <= docIdCharactersMax, {
        message: `must have 1 to ${docIdCharactersMax} characters`,
      })
      .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), { message: 'must not contain control characters' })
      // Every library that reads URLs takes them out of a path, `%2e%2e` too: such a document could not be asked for.
      .refine((text) => text !== '.' && text !== '..', { message: 'must not be "." or "..", which no address can name' })
      .meta({
        description:
          'ID of the document; uploading it again replaces the document. 1–256 characters, no control characters, not `.` or `..`.',
        example: 'handbook-2026',
        ...describedAs({
          type: 'string',
          minLength: 1,
          maxLength: docIdCharactersMax,
          pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$',
        }),
      })
  );
}

const count = z.int().min(0);

export const docId = docIdText();

export const collectionName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, { message: 'must have 1 to 64 lower-case letters, digits, dashes or underscores' })
  .meta({ description: 'A collection. Default: the first one of the key, otherwise `default`.', example: 'hr' });
const inCollection = { collection: collectionName.optional() };
/** Of routes that are about one document. */
export const documentQuery = z.object(inCollection);

/** Anything that may be asked for as a task id: what is not one is an unknown task (404), not a malformed request. */
export const taskId = z.string().meta({ description: 'A task id.', example: '0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b' });

/** Text that every engine can hold: valid Unicode, and no NUL, which PostgreSQL's text does not take. */
function storable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
const notStorable = { message: 'must be valid Unicode without NUL' };

/** Pairs that a search asks for, each of one value. */
const metadataPairs = z
  .record(
    z.string().min(1).max(64).refine(storable, notStorable),
    z.union([z.string().max(1024).refine(storable, notStorable), z.number(), z.boolean(), z.null()]),
  )
  .refine((value) => Object.keys(value).length <= 32, { message: 'may have at most 32 members' })
  .meta({ description: 'Every one of these pairs must be in the metadata; `filters` can ask for more.' });

/** No name that is stored has a control character in it. */
function nameFilter(charactersMax: number): z.ZodType<string, string> {
  return z
    .string()
    .min(1)
    .max(charactersMax)
    .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), { message: 'must be valid Unicode without control characters' })
    .meta(describedAs({ type: 'string', minLength: 1, maxLength: charactersMax, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$' }));
}

/** A whole number in a query string. */
function queryInteger(minimum: number, maximum: number, fallback: number): z.ZodType<number, string | undefined> {
  return z
    .string()
    .regex(/^\d{1,9}$/, { message: `must be a whole number from ${minimum} to ${maximum}` })
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .optional()
    .transform((value) => value ?? fallback)
    .meta(describedAs({ type: 'integer', minimum, maximum, default: fallback }));
}

const queryFlag = z
  .enum(['true', 'false', '1', '0'])
  .optional()
  .transform((value) => value === 'true' || value === '1')
  .meta(describedAs({ type: 'string', enum: ['true', 'false', '1', '0'], default: 'false' }));

const cursor = z.string().min(1).max(8192).optional().meta({ description: '`next_cursor` of the previous page.' });

const time = z.iso
  .datetime({ offset: true })
  .max(40)
  .meta(describedAs({ type: 'string', format: 'date-time' }));

const putFilename = z.string().min(1).max(1024).optional().meta({ description: 'The name of the file.' });

export const insertQuery = z.object({
  doc_id: docIdText(
    'is missing; name the document in the address, as in POST /insert?doc_id=handbook (a field of the form is not read)',
  ),
  ...givenFields,
  ...inCollection,
});
export const parseQuery = z.object({ filename: putFilename });
export const processQuery = z.object({ pages: queryFlag.meta({ description: 'A list with one entry per page.' }) });

/** What POST /parse answers: it lies on the disk in this form (`ingest/pipeline.ts`). */
export const parseReply = z
  .strictObject({
    markdown: z.string(),
    blocks: z.array(
      z.strictObject({
        kind: z.enum(['heading', 'paragraph', 'list', 'table', 'code', 'quote', 'break']),
        start: count.meta({ description: 'UTF-16 offset into `markdown`.' }),
        end: count,
        level: count.nullable().meta({ description: 'Level of a heading, 1 to 6.' }),
        page: count.nullable(),
        page_end: count.nullable(),
      }),
    ),
    media_type: z.string(),
    title: z.string().nullable(),
    author: z.string().nullable(),
    language: z.string().nullable(),
    pages: count.nullable(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'ParsedDocument' });

/** Opens a protected file; never in an address, where logs and proxies would see it. */
export const documentPassword = z.string().min(1).max(passwordCharactersMax).meta({
  description:
    'Password of a protected file. It is kept until the task has finished, never shown or logged, and never part of an address.',
});

/** A line of POST /documents:batch. */
export const batchLine = z
  .strictObject({
    doc_id: docId,
    filename: z.string().min(1).max(1024).optional().meta({ description: 'By default the last part of doc_id.' }),
    text: z
      .string()
      .refine((text) => text.isWellFormed(), { message: 'must be valid Unicode' })
      .optional(),
    file_base64: z.base64().optional(),
    ...describingFields,
    password: documentPassword.optional(),
  })
  .refine(({ text, file_base64 }) => (text === undefined) !== (file_base64 === undefined), {
    message: 'give either text or file_base64, but not both',
  })
  .meta({ id: 'BatchLine' });
export type BatchLine = z.output<typeof batchLine>;

/** A file of an archive in its place: its name is the doc_id. */
export const batchFile = z.strictObject({ doc_id: docId });

/** What a line of POST /documents:batch is answered with. */
export const batchAnswer = z
  .strictObject({
    line: z.int().min(1).meta({ description: 'Line number in the body, or position in the archive.' }),
    doc_id: z.string().nullable().meta({ description: 'As it was sent, also when it was refused; null if none is known.' }),
    task_id: z.string().optional(),
    status: z.enum(taskStatuses).optional(),
    status_url: z.string().optional(),
    error: z.strictObject({ status: z.int(), code: z.string(), detail: z.string() }).optional(),
  })
  .meta({
    id: 'BatchAnswer',
    description: 'With `task_id` for a document that was stored, with `error` for a line that was refused.',
  });

export const documentParams = z.object({ doc_id: docId });
/** What may be changed of a document; an absent member stays as it is. */
export const documentPatch = z
  .strictObject({
    metadata: z
      .record(z.string(), z.unknown())
      .nullable()
      .optional()
      .meta({
        description: 'Members to set; null removes one, null instead of the object removes all.',
        ...describedAs({ type: ['object', 'null'] }),
      }),
    title: z
      .string()
      .min(1)
      .max(300)
      .refine(storable, notStorable)
      .nullable()
      .optional()
      .meta({ description: 'Shown instead of the title of the file; null: the title of the file again.' }),
    filename: nameFilter(1024).optional(),
  })
  .meta({ id: 'DocumentPatch', description: 'A JSON Merge Patch (RFC 7396).' });
export const putQuery = z.object({
  filename: putFilename,
  ...givenFields,
  ...inCollection,
});
export const passwordHeaders = z.object({
  'x-document-password': z
    .string()
    .optional()
    .meta({ description: 'Password of a protected file, in UTF-8; a form may send it in its field `password` instead.' }),
});
export const insertHeaders = z.object({
  ...passwordHeaders.shape,
  prefer: z.string().optional().meta({ description: '`respond-async` or `wait=N` (RFC 7240).', example: 'wait=10' }),
  'idempotency-key': z
    .string()
    .optional()
    .meta({ description: 'Makes a repeated upload get the first response again, for 24 hours.' }),
});
export const rangeHeaders = z.object({
  range: z.string().optional().meta({ description: 'One range of bytes (RFC 9110 §14).', example: 'bytes=0-1023' }),
  'if-range': z
    .string()
    .optional()
    .meta({ description: 'The ETag of the version whose part is wanted; another version is sent whole.' }),
});
export const taskParams = z.object({ task_id: taskId });
export const waitQuery = z.object({
  wait: queryInteger(0, 60, 0).meta({ description: 'Seconds to wait for the end of the task.' }),
});
export const cancelQuery = z.object({ force: queryFlag.meta({ description: 'Also stop a task that is being processed.' }) });
const namePart = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => text.isWellFormed(), { message: 'must be valid Unicode' })
  .optional();

/** An order by name, `-` before it for the other way round. */
function sortBy<T extends string>(names: readonly T[]): z.ZodType<{ by: T; descending: boolean } | undefined, string | undefined> {
  const all = names.flatMap((name) => [name, `-${name}`] as const);
  return z
    .enum(all as [T | `-${T}`, ...(T | `-${T}`)[]])
    .transform((text) => ({ by: text.replace('-', '') as T, descending: text.startsWith('-') }))
    .optional()
    .meta({
      description: 'What to sort by; with a leading `-` in reverse order.',
      ...describedAs({ type: 'string', enum: all }),
    });
}

export const tasksQuery = z.object({
  q: namePart.meta({ description: 'Part of a file name, a doc_id or a task id, in any case.' }),
  ...inCollection,
  status: z.enum(taskStatuses).optional(),
  doc_id: docId.optional(),
  filters: filterText.optional(),
  sort: sortBy(taskOrders),
  limit: queryInteger(1, 1000, 50),
  cursor,
});
export const eventsQuery = z.object(inCollection);
export const documentsQuery = z.object({
  ...inCollection,
  q: namePart.meta({ description: 'Parts of a doc_id, a file name or a title, in any case.' }),
  filters: filterText.optional(),
  sort: sortBy(documentOrders),
  limit: queryInteger(1, 1000, 50),
  cursor,
});
export const deleteDocumentsQuery = z.object({ ...inCollection, filters: filterText });

const searchText = z
  .string()
  .max(2000)
  .refine((text) => text.trim() !== '' && text.isWellFormed(), { message: 'must have something to search for' })
  .meta(describedAs({ type: 'string', minLength: 1, maxLength: 2000, pattern: '\\S' }));
const mode = z.enum(searchModes).default('hybrid');
const docIdList = z.array(docId).max(100);

export const collections = z
  .array(z.union([collectionName, z.literal('*')]))
  .min(1)
  .max(64)
  .refine((names) => !names.includes('*') || names.length === 1, { message: 'must be names, or ["*"] alone' })
  .meta({
    description:
      'Several collections at once; `["*"]`: all that the key may read, at most 4,096, except `openai-files`, whose files are also in their vector stores.',
  });
const minRelevanceDescription =
  'Leave out less relevant hits; 0.34 keeps about 95 % of the right first hits, and drops most hits of questions about another subject.';

/** A number from 0 to 1 in a query string. */
const queryShare: z.ZodType<number, string> = z
  .string()
  .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, { message: 'must be a number from 0 to 1, such as 0.3' })
  .transform(Number)
  .meta(describedAs({ type: 'number', minimum: 0, maximum: 1 }));

export const searchBody = z
  .strictObject({
    query: searchText,
    ...inCollection,
    collections: collections.optional(),
    top_k: z.int().min(1).max(100).default(10),
    offset: z.int().min(0).max(1000).default(0).meta({ description: 'Hits to skip.' }),
    mode,
    doc_ids: docIdList.optional(),
    filename: nameFilter(1024).optional(),
    media_type: nameFilter(255).optional(),
    inserted_after: time.optional(),
    inserted_before: time.optional(),
    metadata: metadataPairs.optional(),
    filters: filterSchema.optional(),
    min_relevance: z.number().min(0).max(1).optional().meta({ description: minRelevanceDescription }),
    group_by: z.enum(['document']).optional().meta({ description: 'One hit per document, its best.' }),
    context: z
      .int()
      .min(0)
      .max(5)
      .optional()
      .meta({ description: 'Number of chunks before and after each hit whose texts come with it.' }),
  })
  .meta({ id: 'SearchRequest' });

export const answerBody = z
  .strictObject({
    question: searchText,
    ...inCollection,
    collections: collections.optional(),
    top_k: z.int().min(1).max(20).default(6).meta({ description: 'Number of chunks to answer from.' }),
    doc_ids: docIdList.optional(),
    filters: filterSchema.optional(),
    min_relevance: z.number().min(0).max(1).optional().meta({
      description:
        'Leave out less relevant chunks; if none is left, the answer says so. Default: 0.2 without an embedder, 0 with one.',
    }),
  })
  .meta({ id: 'AnswerRequest' });
export type AnswerBody = z.output<typeof answerBody>;

/** What an address can say as well as a body. */
type SearchMember = Exclude<keyof z.output<typeof searchBody>, 'query' | 'doc_ids' | 'metadata' | 'collections'>;

export const searchQuery = z.object({
  q: searchText,
  ...inCollection,
  top_k: queryInteger(1, 100, 10),
  offset: queryInteger(0, 1000, 0),
  mode,
  doc_id: z
    .union([docId.transform((one) => [one]), docIdList])
    .optional()
    .meta({
      description: 'Only in these documents; may be repeated.',
      ...describedAs({ type: 'array', items: { type: 'string' } }),
    }),
  filename: nameFilter(1024).optional(),
  media_type: nameFilter(255).optional(),
  inserted_after: time.optional(),
  inserted_before: time.optional(),
  filters: filterText.optional(),
  min_relevance: queryShare.optional().meta({ description: minRelevanceDescription }),
  group_by: z.enum(['document']).optional().meta({ description: 'One hit per document, its best.' }),
  context: queryInteger(0, 5, 0).meta({ description: 'Number of chunks before and after each hit whose texts come with it.' }),
} satisfies Readonly<Record<SearchMember, z.ZodType>> & Readonly<Record<string, z.ZodType>>);

export const loginBody = z.strictObject({ key: z.string().min(1).max(512) }).meta({ id: 'LoginRequest' });

const isoTime = z.iso
  .datetime()
  .meta({ example: '2026-11-24T08:30:00.000Z', ...describedAs({ type: 'string', format: 'date-time' }) });

const taskResult = z
  .strictObject({
    message: z.literal('Document processed successfully'),
    filename: z.string(),
    media_type: z.string(),
    title: z.string().nullable(),
    pages: count.nullable(),
    chunks: count,
    characters: count,
    unchanged: z.boolean().meta({ description: 'The same bytes were already searchable; nothing was done again.' }),
    superseded: z.boolean().meta({ description: 'A newer upload of this doc_id was completed first.' }),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'TaskResult' });

/** No name that is shown has a control character in it: one would be of what stores keep beside it. */
const shownName = z.string().regex(/^\P{Cc}*$/u);

const taskFields = {
  task_id: z.string(),
  doc_id: shownName,
  collection: z.string(),
  filename: z.string(),
  file_size: count,
  status: z.enum(taskStatuses),
  created_at: isoTime,
  updated_at: isoTime,
  result: taskResult.nullable(),
  error: z.string().nullable(),
  stage: z.enum(taskStages),
  progress: z.strictObject({
    percent: z.number().min(0).max(100),
    pages_done: count.nullable(),
    pages_total: count.nullable(),
    chunks_done: count.nullable(),
    chunks_total: count.nullable(),
  }),
  queue_position: count.nullable(),
  attempts: count,
  max_attempts: count,
  error_code: z.string().nullable(),
  retryable: z.boolean().nullable(),
  started_at: isoTime.nullable(),
  finished_at: isoTime.nullable(),
  expires_at: isoTime.nullable(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  media_type: z.string().nullable(),
  ...describedFields,
  links: z.strictObject({ self: z.string(), events: z.string(), document: z.string().nullable() }),
};

export const taskRecord = z.strictObject(taskFields).meta({ id: 'Task' });

/** The 200 of an upload: the whole task record and what the 202 says. */
export const insertedRecord = z
  .strictObject({ ...taskFields, message: z.string(), status_url: z.string() })
  .meta({ id: 'Inserted' });

export const taskAccepted = z
  .strictObject({
    message: z.literal('File uploaded successfully, processing started'),
    task_id: z.string(),
    doc_id: z.string(),
    filename: z.string(),
    status_url: z.string(),
  })
  .meta({ id: 'TaskAccepted' });

export const taskCancelled = z
  .strictObject({ message: z.literal('Task cancelled'), task_id: z.string() })
  .meta({ id: 'TaskCancelled' });

export const taskPage = z.strictObject({ tasks: z.array(taskRecord), next_cursor: z.string().nullable() }).meta({ id: 'TaskPage' });

export const documentRecord = z
  .strictObject({
    doc_id: shownName,
    collection: z.string(),
    task_id: z.string().meta({ description: 'The task that made this version.' }),
    filename: z.string(),
    media_type: z.string(),
    file_size: count,
    sha256: z.string(),
    title: z.string().nullable(),
    author: z.string().nullable(),
    language: z.string().nullable(),
    pages: count.nullable(),
    chunks: count,
    characters: count,
    ...describedFields,
    inserted_at: isoTime,
    embedder: z.string(),
    warnings: z.array(z.string()).meta({ description: 'What could not be read, in sentences.' }),
    links: z.strictObject({ self: z.string(), content: z.string(), file: z.string() }),
  })
  .meta({ id: 'Document' });

export const documentPage = z
  .strictObject({ documents: z.array(documentRecord), next_cursor: z.string().nullable() })
  .meta({ id: 'DocumentPage' });

const chunkRecord = z
  .strictObject({
    chunk_id: z.string(),
    index: count.meta({ description: 'Position in the document, from 0.' }),
    text: z.string(),
    char_start: count.meta({ description: 'UTF-16 offset into the content.' }),
    char_end: count,
    page: count.nullable(),
    page_end: count.nullable(),
    section: z.array(z.string()),
  })
  .meta({ id: 'Chunk' });
export const chunkPage = z
  .strictObject({ chunks: z.array(chunkRecord), next_cursor: z.string().nullable() })
  .meta({ id: 'ChunkPage' });
export type ChunkRecord = z.output<typeof chunkRecord>;
export const chunksQuery = z.object({ ...inCollection, limit: queryInteger(1, 1000, 100), cursor });

export const lookQuery = z.object({ ...inCollection, page: queryInteger(1, 1_000_000, 1) });
const place = z.number();
export const pageLookReply = z
  .strictObject({
    page: count,
    look: z
      .strictObject({
        width: z.number().meta({ description: 'In the unit of all coordinates: points of a picture, or millimetres.' }),
        height: z.number(),
        texts: z
          .array(
            z.strictObject({ text: z.string(), box: z.array(place).length(4).meta({ description: 'Left, top, right, bottom.' }) }),
          )
          .meta({ description: 'In reading order: words of a scan, runs of type of an OFD or XPS.' }),
        lines: z.array(z.array(place).length(4)).meta({ description: 'Straight lines of the drawing: x and y of both ends.' }),
      })
      .nullable()
      .meta({ description: 'Null if unknown: for other formats, and for documents read before layouts were kept.' }),
  })
  .meta({ id: 'PageLook' });

export const documentDeleted = z
  .strictObject({ message: z.literal('Document deleted'), doc_id: shownName })
  .meta({ id: 'DocumentDeleted' });

export const documentsDeleted = z
  .strictObject({
    message: z.string(),
    deleted: count,
    more: z.boolean().meta({ description: 'Whether more documents match than one request deletes; send it again.' }),
  })
  .meta({ id: 'DocumentsDeleted' });
const settingText = (charactersMax: number): z.ZodString => z.string().min(1).max(charactersMax).refine(storable, notStorable);

/** Null takes a setting back: the server's own then holds. */
const collectionSettings = z.strictObject({
  chunk_tokens: z.int().min(32).max(8192).nullable().optional().meta({ description: 'Maximum tokens in one chunk.' }),
  chunk_overlap: z
    .int()
    .min(0)
    .max(4096)
    .nullable()
    .optional()
    .meta({ description: 'Tokens that a chunk repeats from the previous one.' }),
  language: z
    .string()
    .regex(/^[a-z]{2}$/, { message: 'must be two letters of ISO 639-1, such as en or zh' })
    .nullable()
    .optional()
    .meta({ description: 'Language of documents that do not show theirs.' }),
  synonyms: z
    .array(z.array(settingText(64)).min(2).max(32))
    .max(1000)
    .optional()
    .meta({ description: 'Groups of words that mean the same in queries.' }),
});

const keyName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { message: 'must have 1 to 64 letters, digits, dots, dashes or underscores' });
const keyFields = {
  name: keyName.meta({ description: 'Shown in logs and on tasks; never secret.' }),
  scope: z.enum(['read', 'write', 'admin']),
  collections: z
    .array(collectionName)
    .nullable()
    .meta({ description: 'Collections that the key is bound to, its default first; null: all.' }),
};
export const keyParams = z.object({ name: z.string().max(64) });
export const keyBody = z
  .strictObject({
    name: keyFields.name,
    scope: keyFields.scope.default('write'),
    collections: z.array(collectionName).min(1).max(1000).nullable().optional(),
  })
  .meta({ id: 'KeyRequest' });
export const keyRecord = z
  .strictObject({
    ...keyFields,
    source: z
      .enum(['file', 'setting'])
      .meta({ description: '`setting`: the key is set in API_KEYS and can only be changed there.' }),
  })
  .meta({ id: 'Key' });
export const keyList = z
  .strictObject({ keys: z.array(keyRecord), can_change: z.boolean().meta({ description: 'Whether API_KEYS_FILE is set.' }) })
  .meta({ id: 'KeyList' });
export const keyMade = z
  .strictObject({ ...keyRecord.shape, key: z.string().meta({ description: 'For clients; shown only once.' }) })
  .meta({ id: 'KeyMade' });
export const keyRevoked = z.strictObject({ message: z.literal('Key revoked'), name: z.string() }).meta({ id: 'KeyRevoked' });

export const collectionParams = z.object({ name: collectionName });
export const collectionBody = z
  .strictObject({
    title: settingText(300).nullable().optional(),
    description: settingText(2000).nullable().optional(),
    settings: collectionSettings.optional(),
  })
  .meta({ id: 'CollectionChange' });
export type CollectionBody = z.output<typeof collectionBody>;
export const removalQuery = z.object({
  confirm: z.string().max(64).optional().meta({ description: 'The name of the collection again, to confirm.' }),
});

export const collectionRecord = z
  .strictObject({
    name: z.string(),
    title: z.string().nullable(),
    description: z.string().nullable(),
    documents: count,
    chunks: count,
    bytes: count.meta({ description: 'Size of the files as they were uploaded.' }),
    created_at: isoTime.nullable().meta({ description: 'Null for `default`, which always exists, until it is changed.' }),
    settings: collectionSettings.required(),
    rereading: z.boolean().meta({ description: 'Its settings have changed and documents are still being read again.' }),
  })
  .meta({ id: 'Collection' });
export type CollectionRecord = z.output<typeof collectionRecord>;
export const collectionList = z.strictObject({ collections: z.array(collectionRecord) }).meta({ id: 'CollectionList' });
export const collectionDeleted = z
  .strictObject({ message: z.literal('Collection deleted'), name: z.string() })
  .meta({ id: 'CollectionDeleted' });

export const searchReply = z
  .strictObject({
    query: z.string(),
    mode: z.enum(searchModes),
    took_ms: z.number().min(0),
    total: count.meta({ description: 'Chunks that matched; a lower bound when the search stopped early.' }),
    notice: z.string().nullable().meta({ description: 'Why the results may be incomplete, or null.' }),
    shown_for: z.string().nullable().meta({
      description: 'The query that was searched, if a word that no document has was corrected; null if it was searched as written.',
    }),
    hits: z.array(
      z.strictObject({
        score: z.number().meta({ description: 'Comparable within one answer only.' }),
        relevance: z.number().min(0).max(1).meta({
          description: 'How well this passage answers the query; comparable across queries and sizes of collection.',
        }),
        more: count
          .optional()
          .meta({ description: 'With `group_by`: how many more chunks of this document were ranked beside it.' }),
        context: z
          .strictObject({ before: z.array(z.string()), after: z.array(z.string()) })
          .optional()
          .meta({ description: 'With `context`: the texts of the chunks before and after it in its document.' }),
        text: z.string(),
        highlights: z.array(z.array(count).length(2)).meta({ description: 'UTF-16 offsets into `text`, end exclusive.' }),
        across_languages: z
          .boolean()
          .meta({ description: 'Found by translation of the query: from Chinese to English, or the other way round.' }),
        also_in: z
          .array(
            z.strictObject({
              doc_id: shownName,
              collection: z.string(),
              filename: z.string(),
              title: z.string().nullable(),
              page: count.nullable(),
            }),
          )
          .optional()
          .meta({
            description:
              'Where else the same text was found, at most five places; such hits come after those with other texts. Absent if there is none.',
          }),
        citation: z.strictObject({
          doc_id: shownName,
          collection: z.string(),
          filename: z.string(),
          title: z.string().nullable(),
          page: count.nullable(),
          page_end: count.nullable(),
          section: z.array(z.string()).meta({ description: 'Headings from the outermost to the innermost.' }),
          ...describedFields,
          chunk_id: z.string(),
          char_start: count.meta({ description: 'UTF-16 offset into the content.' }),
          char_end: count,
          url: z.string(),
        }),
      }),
    ),
  })
  .meta({ id: 'SearchReply' });

export const healthReply = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });
export const readyReply = z.strictObject({ status: z.literal('ready') }).meta({ id: 'Ready' });

export const configReply = z
  .strictObject({
    version: z.string(),
    file_bytes_max: count,
    sync_bytes_max: count,
    auth: z.enum(['none', 'key']),
    /** Whether people may log in at a provider, by `GET /login/oidc`. */
    oidc: z.boolean(),
    /** Who this request was made by, when it had a valid key or cookie. */
    key: z
      .strictObject({
        name: z.string(),
        scope: z.enum(['read', 'write', 'admin']),
        collections: z
          .array(z.string())
          .nullable()
          .meta({ description: 'Collections that the key is bound to, its default first; null: all.' }),
      })
      .nullable(),
    formats: z.array(z.string()).meta({ description: 'File name endings that can be read, without a dot.' }),
    answers: z.boolean().meta({ description: 'Whether a chat service is configured and POST /answer is available.' }),
  })
  .meta({ id: 'Config' });

export const statusReply = z
  .strictObject({
    pending: count,
    processing: count,
    threads: count,
    worker_up: z.boolean(),
    documents: count,
    chunks: count,
    index_bytes: count,
    disk_free_bytes: count,
    documents_damaged: count,
    documents_mended: count,
    disk_total_bytes: count,
    store: z.enum(['ready', 'full', 'read_only', 'unusable', 'starting']),
    searcher: z
      .strictObject({ waiting: count, lag_seconds: z.number().min(0), refused: count })
      .nullable()
      .meta({
        description:
          'Of a searcher that follows the index: changes that it has not been told, for how long the oldest waits, and documents that it refuses; null: none follows, or the key is bound to collections.',
      }),
    history: z
      .array(z.strictObject({ minute: isoTime, completed: count, failed: count, bytes: count, pending: count, processing: count }))
      .meta({ description: 'The last 60 minutes, oldest first; `pending` and `processing` are maximum values.' }),
  })
  .meta({ id: 'Status' });

export const loginReply = z
  .strictObject({
    name: z.string(),
    scope: z.enum(['read', 'write', 'admin']),
    collections: z.array(z.string()).nullable(),
    expires_at: isoTime,
  })
  .meta({ id: 'Login' });
export const logoutReply = z.strictObject({ message: z.literal('Logged out') }).meta({ id: 'Logout' });

export const problemDocument = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(problemCodes as [string, ...string[]]),
    request_id: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

export type TaskResultRecord = z.output<typeof taskResult>;
export type TaskRecord = z.output<typeof taskRecord>;
export type TaskAccepted = z.output<typeof taskAccepted>;
export type DocumentRecord = z.output<typeof documentRecord>;
export type SearchReply = z.output<typeof searchReply>;
export type StatusReply = z.output<typeof statusReply>;
