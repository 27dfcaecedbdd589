/** What the server says, as it says it. The shapes are the server's own schemas, so that a change there does not compile here. */
import type { DocumentErrorCode } from '../errors.ts';
import type {
  chunkPage,
  configReply,
  documentPage,
  keyList,
  pageLookReply,
  taskPage,
  CollectionRecord,
  DocumentRecord,
  SearchReply,
  StatusReply,
  TaskRecord,
} from '../http/wire/schemas.ts';

type Parsed<S extends { readonly _output: unknown }> = S['_output'];

export type WireTask = Omit<TaskRecord, 'error_code'> & { readonly error_code: DocumentErrorCode | null };
export type WireTaskPage = Omit<Parsed<typeof taskPage>, 'tasks'> & { readonly tasks: readonly WireTask[] };
export type WireDocument = DocumentRecord;
/** Null takes a member away. */
export type MetadataValue = NonNullable<WireDocument['metadata']>[string];
export type WireCollection = CollectionRecord;
export type WireCollectionList = { readonly collections: readonly WireCollection[] };
export type WireKeyList = Parsed<typeof keyList>;
export type WireKey = WireKeyList['keys'][number];
export type WireDocumentPage = Parsed<typeof documentPage>;
export type WirePageLook = NonNullable<Parsed<typeof pageLookReply>['look']>;
export type WireChunkPage = Parsed<typeof chunkPage>;
export type WireSearch = SearchReply;
export type WireHit = SearchReply['hits'][number];
export type WireConfig = Parsed<typeof configReply>;
export type WireStatus = StatusReply;

/** RFC 9457, as far as it is read here; a proxy's answer may hold none of it. */
export type WireProblem = {
  readonly detail?: string;
  readonly reason?: string;
  readonly title?: string;
  readonly code?: string;
  readonly request_id?: string;
};
