/**
 * The tables, and the steps from one version of them to the next. Whatever a client may write (names, texts, metadata) is kept
 * as JSON in a text column: PostgreSQL's own text refuses NUL and lone surrogates, which occur in documents.
 */
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Database } from './database.ts';
import { schemaName } from './servers.ts';
import { rebuildTerms, termsVersion } from './index/rebuild-terms.ts';
import { installJobs } from './jobs.ts';
import { storedBlobs } from './object-blobs.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { changeSearcher, notedSearcher, type SearcherName } from './searchers.ts';
import { holdDecisions, holdJoining } from './standing.ts';
import { createOutbox } from './outbox/outbox.ts';

/** What pg-boss needs. */
const releaseMin = 130_000;

/**
 * One entry a version; never changed once released. `task.record` is a `Task`; `lease` says which process holds a job, `owner`
 * which processes live. A blob's bytes lie in rows of at most 1 MiB; `owner` names the process that is still writing it.
 * The tables of the index are those of the index file (`search/database.ts`), without its counters.
 */
export const versions: readonly string[] = [
  `
CREATE TABLE owner(
  id text PRIMARY KEY, role text NOT NULL, backend integer NOT NULL DEFAULT pg_backend_pid(),
  started_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE blob(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text, bytes bigint NOT NULL DEFAULT 0);
CREATE INDEX blob_owner ON blob(owner) WHERE owner IS NOT NULL;
CREATE TABLE blob_chunk(blob bigint NOT NULL REFERENCES blob ON DELETE CASCADE, seq integer NOT NULL, data bytea NOT NULL,
  PRIMARY KEY (blob, seq));
ALTER TABLE blob_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE task(
  id uuid PRIMARY KEY, doc_key text NOT NULL, lane text NOT NULL, status text NOT NULL, attempts integer NOT NULL DEFAULT 0,
  record text NOT NULL, cancel boolean NOT NULL DEFAULT false, payload bigint REFERENCES blob, ended_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX task_status ON task(status, id);
CREATE INDEX task_doc ON task(doc_key, id);
CREATE INDEX task_ended ON task(ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX task_changed ON task(changed_at);
CREATE INDEX task_payload ON task(payload) WHERE payload IS NOT NULL;
CREATE TABLE lease(task uuid PRIMARY KEY, owner text NOT NULL);
CREATE INDEX lease_owner ON lease(owner);
CREATE UNLOGGED TABLE progress(task uuid PRIMARY KEY, attempt integer NOT NULL, progress jsonb NOT NULL);
CREATE TABLE current_version(doc_key text PRIMARY KEY, version uuid NOT NULL);
CREATE TABLE document_part(doc_key text NOT NULL, version uuid NOT NULL, part text NOT NULL, blob bigint NOT NULL REFERENCES blob,
  PRIMARY KEY (doc_key, version, part));
CREATE INDEX document_part_blob ON document_part(blob);
CREATE TABLE document(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doc_key text NOT NULL UNIQUE, version uuid NOT NULL,
  chunks integer NOT NULL, record text NOT NULL, filename text NOT NULL, media_type text NOT NULL,
  inserted_at text COLLATE "C" NOT NULL, embedder text NOT NULL, metadata text[] NOT NULL);
CREATE INDEX document_inserted ON document(inserted_at, doc_key);
CREATE INDEX document_embedder ON document(embedder);
CREATE INDEX document_metadata ON document USING gin(metadata);
CREATE TABLE chunk(id bigint PRIMARY KEY, body text NOT NULL);
CREATE TABLE vector(chunk bigint PRIMARY KEY, data bytea NOT NULL);
CREATE TABLE vector_bits(
  document bigint PRIMARY KEY REFERENCES document ON DELETE CASCADE, first_chunk bigint NOT NULL, embedder text NOT NULL, data bytea NOT NULL);
CREATE TABLE fence(doc_key text PRIMARY KEY, version uuid NOT NULL);
CREATE TABLE committed(version uuid PRIMARY KEY);
CREATE TABLE revoked(version uuid PRIMARY KEY);
CREATE TABLE removed(document bigint PRIMARY KEY);
CREATE TABLE segment(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, chunks integer NOT NULL, length bigint NOT NULL, runs bytea NOT NULL,
  lengths bytea NOT NULL, words bytea);
CREATE TABLE posting_block(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, segment bigint NOT NULL REFERENCES segment ON DELETE CASCADE,
  first text NOT NULL, data bytea NOT NULL);
CREATE INDEX posting_block_segment ON posting_block(segment);
CREATE TABLE idempotency(key text PRIMARY KEY, answer text NOT NULL, kept_at timestamptz NOT NULL);
CREATE INDEX idempotency_kept ON idempotency(kept_at);
CREATE TABLE ended_session(id text PRIMARY KEY, ended_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE delivery(id text COLLATE "C" PRIMARY KEY, state text NOT NULL, record text NOT NULL, ended_at timestamptz);
CREATE INDEX delivery_state ON delivery(state, id);
CREATE TABLE hold(name text PRIMARY KEY, holder text NOT NULL, seen_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE secret(name text PRIMARY KEY, value bytea NOT NULL);
`,
  // The order of acceptance: what was there before has 0, and is in the order of its ids.
  `
CREATE SEQUENCE ordinal;
ALTER TABLE task ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
CREATE INDEX task_ordinal ON task(ordinal);
ALTER TABLE current_version ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE document_part ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE fence ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE committed ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
ALTER TABLE revoked ADD COLUMN ordinal bigint NOT NULL DEFAULT 0;
`,
  // What no document rests on any more is noted when that happens, so that forgetting it reads nothing else.
  `
ALTER TABLE committed ADD COLUMN outdated boolean NOT NULL DEFAULT false;
ALTER TABLE fence ADD COLUMN outdated boolean NOT NULL DEFAULT false;
UPDATE committed SET outdated = true WHERE NOT EXISTS (SELECT 1 FROM document WHERE document.version = committed.version);
UPDATE fence SET outdated = true WHERE NOT EXISTS (SELECT 1 FROM document WHERE document.doc_key = fence.doc_key);
CREATE INDEX committed_outdated ON committed(ordinal) WHERE outdated;
CREATE INDEX fence_outdated ON fence(ordinal) WHERE outdated;
CREATE INDEX revoked_ordinal ON revoked(ordinal);
`,
  // What the check for damage has found: one row.
  `
CREATE TABLE damage(
  one boolean PRIMARY KEY DEFAULT true CHECK (one), checked_at text NOT NULL, damaged integer NOT NULL, mended integer NOT NULL);
`,
  // Sessions that are forgotten stay refused by their end, whatever a clock says. What waits again takes the place of its acceptance.
  `
ALTER TABLE ended_session ADD COLUMN expires_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 43200000;
ALTER TABLE ended_session ALTER COLUMN expires_ms DROP DEFAULT, DROP COLUMN ended_at;
CREATE TABLE forgotten_session(one boolean PRIMARY KEY DEFAULT true CHECK (one), expires_ms bigint NOT NULL);
ALTER TABLE task ADD COLUMN accepted_at timestamptz NOT NULL DEFAULT clock_timestamp();
UPDATE task SET accepted_at = changed_at;
`,
  // Collections: what was there before is in the one that is always there. `collection` holds what is said of each, not what is in it.
  `
CREATE TABLE collection(name text COLLATE "C" PRIMARY KEY, record text NOT NULL, removing boolean NOT NULL DEFAULT false);
ALTER TABLE task ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT 'default';
CREATE INDEX task_collection ON task(collection, id);
ALTER TABLE document ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT 'default', ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0;
UPDATE document SET file_bytes = coalesce(substring(record FROM '"fileBytes":([0-9]+)')::bigint, 0);
CREATE INDEX document_collection ON document(collection, inserted_at, doc_key);
DROP INDEX document_embedder;
CREATE INDEX document_embedder ON document(collection, embedder);
CREATE INDEX document_counts ON document(collection) INCLUDE (chunks, file_bytes);
ALTER TABLE segment ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT 'default';
CREATE INDEX segment_collection ON segment(collection, id);
ALTER TABLE removed ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT 'default';
CREATE INDEX removed_collection ON removed(collection, document);
ALTER TABLE vector_bits ADD COLUMN collection text COLLATE "C" NOT NULL DEFAULT 'default';
CREATE INDEX vector_bits_collection ON vector_bits(collection, embedder, document);
`,
  // Which transaction made a document what it is: readers follow what changed.
  `
ALTER TABLE document ADD COLUMN changed xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX document_changed ON document(collection, changed);
`,
  // Of which version the terms in the segments are; those of before are made anew.
  `
ALTER TABLE version ADD COLUMN tokens integer NOT NULL DEFAULT 0;
`,
  // Bytes outside the database: a blob with an object has no rows of bytes. What nothing needs any more is noted until it is deleted.
  `
ALTER TABLE blob ADD COLUMN object text;
CREATE TABLE object_space(one boolean PRIMARY KEY DEFAULT true CHECK (one), name text NOT NULL, swept_at timestamptz);
CREATE TABLE unneeded_object(object text PRIMARY KEY);
`,
  // A searcher that follows: which one (no row: the segments here), what it has not been told yet, and what the one in this database has.
  `
CREATE TABLE searcher(one boolean PRIMARY KEY DEFAULT true CHECK (one), name text NOT NULL);
CREATE TABLE outbox(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document bigint, collection text COLLATE "C" NOT NULL,
  filling boolean NOT NULL DEFAULT false, refused boolean NOT NULL DEFAULT false, noted_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX outbox_collection ON outbox(collection, id);
CREATE INDEX outbox_filling ON outbox(id) WHERE filling;
CREATE SEQUENCE outbox_turn;
CREATE TABLE fulltext_turn(one boolean PRIMARY KEY DEFAULT true CHECK (one), turn bigint NOT NULL);
INSERT INTO fulltext_turn(turn) VALUES (0);
CREATE TABLE fulltext_collection(name text COLLATE "C" PRIMARY KEY, number integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE fulltext_document(document bigint PRIMARY KEY, chunks integer NOT NULL);
CREATE TABLE fulltext_chunk(id bigint PRIMARY KEY, document bigint NOT NULL, terms tsvector NOT NULL);
CREATE INDEX fulltext_chunk_document ON fulltext_chunk(document);
CREATE INDEX fulltext_chunk_terms ON fulltext_chunk USING gin(terms);
CREATE TABLE fulltext_word(collection integer NOT NULL, word text COLLATE "C" NOT NULL, parts text[] NOT NULL, PRIMARY KEY (collection, word));
CREATE INDEX fulltext_word_parts ON fulltext_word USING gin(parts);
`,
  // Whose number a row of the outbox is: a document that is replaced while it is told is told as it is then. How often all was told anew.
  `
ALTER TABLE outbox ADD COLUMN doc_key text;
UPDATE outbox SET doc_key = document.doc_key FROM document WHERE document.id = outbox.document;
ALTER TABLE searcher ADD COLUMN fillings bigint NOT NULL DEFAULT 0;
`,
  // What comes in is told beside what is told anew, and found without walking over that; so are documents that were refused.
  `
CREATE INDEX outbox_new ON outbox(id) WHERE NOT filling AND NOT refused;
CREATE INDEX outbox_refused ON outbox(document) WHERE refused;
`,
  // Postings and words are compressed before they come here (`index/packed.ts`); what was there before stays as it is until it is merged.
  `
ALTER TABLE posting_block ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE segment ALTER COLUMN words SET STORAGE EXTERNAL;
`,
];

/**
 * Makes the tables, or brings older ones up to date; safe twice and beside others that do the same. Needs the right to create
 * a schema. `store`: where files may lie; it is read only when terms are made anew. `searcher`: who is to find from now on; '': as before. `refill`:
 * a searcher that follows is told everything anew. Says what it did.
 * @throws AppError `unavailable`, saying what to do.
 */
export async function migrate(
  database: Database,
  logger: Logger,
  store: ObjectStore | null = null,
  { searcher = '', refill = false }: { searcher?: SearcherName | ''; refill?: boolean } = {},
): Promise<string> {
  await database.query('SELECT 1').catch(unreachable);
  const before = await database.transaction(async () => {
    await holdJoining(database);
    await database.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`);
    await database.query(`CREATE TABLE IF NOT EXISTS ${schemaName}.version(version integer NOT NULL)`);
    const found = await readVersions(database);
    refuseNewer(found);
    const isOlder = found.tables < versions.length || found.tokens < termsVersion;
    if (found.tables > 0 && isOlder) await holdWriters(database);
    for (const step of versions.slice(found.tables)) await database.query(step);
    const rebuild = async (): Promise<number> => rebuildTerms(database, await storedBlobs(database, store, logger));
    const changes = searcher !== '' && searcher !== (await notedSearcher(database));
    if (changes) await holdWriters(database);
    const changed = await changeSearcher(database, searcher, rebuild);
    const follows = (await notedSearcher(database)) !== 'segments';
    const isStale = found.tokens < termsVersion && changed === null;
    const documents = isStale && !follows ? await rebuild() : 0;
    const told = follows && changed === null && (isStale || refill) ? await createOutbox(database).noteAll() : null;
    await database.query('DELETE FROM version');
    await database.query('INSERT INTO version(version, tokens) VALUES ($1, $2)', [versions.length, termsVersion]);
    // pg-boss begins and commits by itself; whoever else migrates waits for the lock of this transaction meanwhile.
    await database.apart(() => installJobs(database, logger));
    return { ...found, documents, told, changed };
  });
  return [
    whatWasDone(before),
    before.changed,
    before.told === null ? null : `Workers send all ${before.told} documents to the searcher again.`,
  ]
    .filter((sentence) => sentence !== null)
    .join(' ');
}

function whatWasDone({ tables, documents }: Versions & { documents: number }): string {
  if (tables === 0) return 'The tables were created.';
  const brought = `The tables were updated from version ${tables} to ${versions.length}.`;
  const upToDate = `The tables are up to date (version ${tables}).`;
  const said = tables === versions.length ? upToDate : brought;
  return documents === 0 ? said : `${said} Documents whose terms were rebuilt: ${documents}.`;
}

/** Of the tables, and of the terms that the segments of the index are made of; 0 where there are none, or nobody noted it. */
type Versions = { readonly tables: number; readonly tokens: number };

/** Nobody works on the database, and who was thought dead writes nothing from here on. */
async function holdWriters(database: Database): Promise<void> {
  await refuseLiving(database);
  await holdDecisions(database);
}

/** Those of the older version would write what the newer one takes for old: an upload could be lost behind the one before it. */
async function refuseLiving(database: Database): Promise<void> {
  const living = await database.query(`SELECT id FROM owner WHERE seen_at > clock_timestamp() - interval '10 seconds'`);
  if (living.length > 0)
    throw new AppError('unavailable', `Servers are using this database (${living.length} processes): stop them, then migrate.`);
}

/** @throws AppError `unavailable` when the database cannot be reached or its tables are not those of this version, saying what to do. */
export async function requireSchema(database: Database): Promise<void> {
  const [row] = await database
    .query(
      `SELECT to_regclass('${schemaName}.version') IS NOT NULL AS there, current_setting('server_version_num')::integer AS release`,
    )
    .catch(unreachable);
  refuseOldServer(Number(row?.['release']));
  const found = row?.['there'] === true ? await readVersions(database) : { tables: 0, tokens: 0 };
  refuseNewer(found);
  if (found.tables < versions.length)
    throw refusal(found.tables === 0 ? 'it has no tables yet' : `its tables have version ${found.tables}, not ${versions.length}`);
  if (found.tokens < termsVersion) throw refusal(`the terms of its index have version ${found.tokens}, not ${termsVersion}`);
}

/** What a server must be set to for what it has confirmed to outlive a crash; `local` gives up the standby only. */
const durable: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_apply', 'remote_write', 'local'],
};

/**
 * The server's settings, as seen by this user in this database, that may lose acknowledged documents in a crash: `name = value` each,
 * none when all is well. One statement. https://www.postgresql.org/docs/current/runtime-config-wal.html
 */
export async function unsafeSettings(database: Database): Promise<string[]> {
  const names = Object.keys(durable);
  const rows = await database.query('SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name', [names]);
  return rows
    .map((row) => ({ name: String(row['name']), value: String(row['setting']) }))
    .filter(({ name, value }) => !durable[name]!.includes(value))
    .map(({ name, value }) => `${name} = ${value}`);
}

/** At a start, a person reads along. */
function unreachable(error: Error): never {
  throw new AppError('unavailable', 'DATABASE_URL: the database cannot be reached.', { cause: error.cause ?? error });
}

function refuseOldServer(release: number): void {
  if (release < releaseMin)
    throw new AppError(
      'unavailable',
      `DATABASE_URL: this PostgreSQL has version ${Math.floor(release / 10_000)}; at least ${releaseMin / 10_000} is required.`,
    );
}

function refuseNewer({ tables, tokens }: Versions): void {
  if (tables > versions.length)
    throw new AppError(
      'unavailable',
      `DATABASE_URL: the database has tables of version ${tables}; this program supports ${versions.length}.`,
    );
  if (tokens > termsVersion)
    throw new AppError('unavailable', 'The index was made by a newer version of this program; start that version.');
}

/** The column of the terms is younger than the table. */
async function readVersions(database: Database): Promise<Versions> {
  const [row] = await database.query(`SELECT to_jsonb(noted) AS found FROM ${schemaName}.version AS noted`);
  const found = row?.['found'] as { version: number; tokens?: number } | undefined;
  return { tables: found?.version ?? 0, tokens: found?.tokens ?? 0 };
}

function refusal(reason: string): AppError {
  return new AppError('unavailable', `DATABASE_URL: the database cannot be used: ${reason}. Run "rag-intake migrate".`);
}
