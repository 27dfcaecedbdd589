#!/usr/bin/env node
/**
 * The command `rag-intake`: runs the server, talks to one over HTTP, looks after its data directory.
 * Exit codes: `cli-error.ts`.
 */
import { inWords, listKeys, requireKeyFile, revokeKey } from './key-file.ts';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { DocumentError } from '../errors.ts';
import { writeApiKey } from '../http/access/api-keys.ts';
import { addKey } from '../http/access/key-file.ts';
import type { KeyScope } from '../http/access/scope.ts';
import { describeError } from '../logger.ts';
import { moduleFile, pageDir } from '../program-files.ts';
import { explainStart, type StartPlaces } from '../start-error.ts';
import { deliveryStates } from '../storage/delivery.ts';
import { writeSecret } from '../webhooks/signature.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { listFiles } from './file-list.ts';
import { aMetadata, descriptionGiven, withDescriptionOptions } from './description-options.ts';
import { readPassword } from './password-file.ts';
import { ingest } from './ingest.ts';
import { barProgress, type IngestProgress, lineProgress, silentProgress } from './ingest-progress.ts';
import { reportText } from './ingest-report.ts';
import { jsonObject, jsonObjectOrNull } from './json-option.ts';
import { localSettings, withoutSecrets } from './local-settings.ts';
import { mirror, requireFolders } from './mirror.ts';
import * as queries from './queries.ts';
import { printable, table } from './terminal-text.ts';
import type { WatchEvent } from './watch.ts';

type GlobalOptions = {
  readonly collection?: string;
  readonly url: string;
  readonly key?: string;
  readonly patience: number;
  readonly json?: boolean;
};

/** Those that a collection says something to; what would be passed over is refused. */
const aboutACollection = ['ingest', 'watch', 'search', 'tasks', 'task', 'cancel', 'retry', 'documents', 'mcp'];
const aFilter = '{"type": "eq", "key": "department", "value": "hr"}';
const program = new Command('rag-intake')
  .description('Document intake for RAG: upload, follow, search; run and maintain a server.')
  .version(packageJson.version)
  .addOption(new Option('--url <url>', 'server to talk to').env('RAG_INTAKE_URL').default('http://127.0.0.1:8000'))
  .addOption(new Option('--key <key>', 'API key; prefer RAG_INTAKE_KEY, which other users cannot see').env('RAG_INTAKE_KEY'))
  .addOption(
    new Option('--collection <name>', 'collection to work on; default: the first one of the key').env('RAG_INTAKE_COLLECTION'),
  )
  .option('--patience <seconds>', 'how long to keep trying a busy or unreachable server', wholeNumber(0, 86_400), 60)
  .option('--json', 'print JSON')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .hook('preAction', (_program, command) => refuseWhatSaysNothing(command));

program
  .command('serve')
  .description('run the server; settings come from the environment (see README)')
  .addOption(
    new Option('--role <role>', 'what to run: everything, the API without a worker, or a worker only')
      .choices(['all', 'api', 'worker'])
      .default('all'),
  )
  .action(({ role }: { role: string }) => becomeServer(role));
program
  .command('worker')
  .description('run one more worker on the same DATA_DIR or DATABASE_URL')
  .action(() => becomeServer('worker'));
program
  .command('migrate')
  .description('create or update the tables in DATABASE_URL, and switch to SEARCHER')
  .option('--refill', 'send everything to the searcher again (SEARCHER=postgres-fulltext)', false)
  .action(async (options: { refill: boolean }) => {
    const { migrateDatabase } = await import('./migrate.ts');
    say(await migrateDatabase(options));
  });

withDescriptionOptions(
  program
    .command('ingest')
    .description('upload files and folders; run it again to continue where it stopped')
    .argument('<paths...>', 'files and folders')
    .option('--prefix <text>', 'prefix of every doc_id', '')
    .option('--parallel <count>', 'documents to upload at once', wholeNumber(1, 64), 8)
    .option('--mirror', 'delete from the server what is no longer in these folders', false)
    .option('--yes', 'with --mirror: delete even more than half of what is there', false)
    .option('--again', 'upload everything, also what is already there', false)
    .option('--callback-url <url>', 'address that the server notifies of the end of each task')
    .addOption(passwordFile()),
).action(runIngest);

withDescriptionOptions(
  program
    .command('watch')
    .description('watch a folder until stopped: upload, rename and delete on the server as files change there')
    .argument('<folder>')
    .option('--prefix <text>', 'prefix of every doc_id', '')
    .option('--parallel <count>', 'documents to upload at once', wholeNumber(1, 64), 4)
    .option('--mirror', 'delete from the server what is no longer in the folder', false)
    .option('--yes', 'with --mirror: delete even more than half of what is there', false)
    .addOption(new Option('--consume', 'delete from the folder what the server has').default(false).conflicts('mirror'))
    .option('--every <seconds>', 'check the whole folder at least this often', wholeNumber(1, 86_400), 60)
    .option('--settle <seconds>', 'upload a file when it has not changed for this long', wholeNumber(1, 3600), 2),
).action(runWatch);

program
  .command('search')
  .description('search the documents')
  .argument('<words...>')
  .option('-k, --top-k <count>', 'hits', wholeNumber(1, 100), 10)
  .addOption(new Option('--mode <mode>', 'how to search').choices(['hybrid', 'keyword', 'vector']).default('hybrid'))
  .option('--doc <doc_id...>', 'search only these documents')
  .option('--filter <json>', 'only in documents that match this filter', jsonObject(aFilter))
  .option('--collections <names>', "search these collections, separated by commas; '*' for all that the key may read", nameList)
  .option('--min-relevance <share>', 'leave out less relevant hits, from 0 to 1', share)
  .action(
    (words: string[], { doc = [], ...options }: Omit<queries.SearchOptions, 'docIds' | 'bold'> & { readonly doc?: string[] }) =>
      ask((client) => queries.search(client, words.join(' '), { ...options, docIds: doc, bold: process.stdout.isTTY === true })),
  );

program
  .command('tasks')
  .description('list tasks, newest first')
  .addOption(new Option('--status <status>').choices(['pending', 'processing', 'completed', 'failed']))
  .option('--doc <doc_id>', 'only tasks of this document')
  .option('-q, --name <text>', 'only tasks with this in their file name, doc_id or id')
  .option('--filter <json>', 'only those that match this filter', jsonObject(aFilter))
  .option('--sort <field>', 'created_at, filename, doc_id or file_size; -file_size for the largest first')
  .option('--limit <count>', 'how many', wholeNumber(1, 1000), 50)
  .option('--cursor <cursor>', 'continue after a page')
  .action(({ doc, name, ...options }: Omit<queries.TaskListOptions, 'doc_id' | 'q'> & { doc?: string; name?: string }) =>
    ask((client) => queries.listTasks(client, { ...options, doc_id: doc, q: name })),
  );
program
  .command('task')
  .description('show one task')
  .argument('<task_id>')
  .option('--wait', 'wait until it has finished', false)
  .action((id: string, options: { wait: boolean }) => ask((client) => queries.showTask(client, id, options)));
program
  .command('cancel')
  .description('cancel a pending task')
  .argument('<task_id>')
  .option('--force', 'cancel it also while it is being processed', false)
  .action((id: string, options: { force: boolean }) => ask((client) => queries.cancelTask(client, id, options)));
program
  .command('retry')
  .description('process a failed task again')
  .argument('<task_id>')
  .action((id: string) => ask((client) => queries.retryTask(client, id)));

const documents = program.command('documents').description('searchable documents');
documents
  .command('list', { isDefault: true })
  .description('list documents, newest first')
  .option('--limit <count>', 'how many', wholeNumber(1, 1000), 50)
  .option('--cursor <cursor>', 'continue after a page')
  .option('-q, --name <text>', 'only documents with this in their doc_id, file name or title')
  .option('--filter <json>', 'only those that match this filter', jsonObject(aFilter))
  .option('--sort <field>', 'such as filename, or -file_size for the largest first')
  .action(({ name, ...options }: queries.DocumentListOptions & { name?: string }) =>
    ask((client) => queries.listDocuments(client, { ...options, q: name })),
  );
documents
  .command('show')
  .description('show one document')
  .argument('<doc_id>')
  .action((docId: string) => ask((client) => queries.showDocument(client, docId)));
documents
  .command('content')
  .description('print the parsed text as Markdown')
  .argument('<doc_id>')
  .action((docId: string) =>
    ask(async (client) => {
      const text = await queries.documentContent(client, docId);
      return { json: { doc_id: docId, content: text }, text };
    }),
  );
documents
  .command('change')
  .description('change metadata, title or file name of a document, without reading it again')
  .argument('<doc_id>')
  .option('--metadata <json>', 'members to set; null removes one; null alone removes all', jsonObjectOrNull(aMetadata))
  .option('--title <title>', 'shown instead of its own')
  .option('--filename <name>')
  .action((docId: string, changes: queries.DocumentChanges) => ask((client) => queries.changeDocument(client, docId, changes)));
documents
  .command('delete')
  .description('delete documents from search, content and disk')
  .argument('[doc_id]')
  .option('--filter <json>', 'instead of a doc_id: all that match this filter', jsonObject(aFilter))
  .action((docId: string | undefined, { filter }: { filter?: object }) => {
    if ((docId === undefined) === (filter === undefined))
      throw new CliError('Name a document, or choose documents with --filter.', exitCodes.usage);
    return ask((client) =>
      docId === undefined ? queries.deleteDocuments(client, filter!) : queries.deleteDocument(client, docId),
    );
  });

const key = program.command('key').description('API keys');
key
  .command('create')
  .description('create a key; it is shown once, and the server stores only its digest')
  .argument('<name>', 'shown in logs and on tasks')
  .addOption(new Option('--scope <scope>', 'what the key may do').choices(['read', 'write', 'admin']).default('write'))
  .option(
    '--collections <names>',
    'bind it to these collections, separated by commas, its default first; otherwise it can access all',
  )
  .addOption(new Option('--file <file>', 'add it to this file, which the server reads').env('API_KEYS_FILE'))
  .action(createKey);
key
  .command('list')
  .description('list the keys of a key file')
  .addOption(new Option('--file <file>').env('API_KEYS_FILE'))
  .action(async ({ file }: { file?: string }) => say(await listKeys(requireKeyFile(file))));
key
  .command('revoke')
  .description('remove a key from a key file; running servers follow')
  .argument('<name>')
  .addOption(new Option('--file <file>').env('API_KEYS_FILE'))
  .action(async (name: string, { file }: { file?: string }) => say(await revokeKey(requireKeyFile(file), name)));

const collections = program.command('collections').description('collections of documents');
collections
  .command('list', { isDefault: true })
  .description('list the collections that the key may read')
  .action(() => ask((client) => queries.listCollections(client)));
collections
  .command('create')
  .description('create a collection, or change its title, description and settings')
  .argument('<name>')
  .option('--title <title>')
  .option('--description <text>')
  .option(
    '--settings <json>',
    'how its documents are split and searched; after a change they are read again',
    jsonObject('{"chunk_tokens": 256, "language": "zh", "synonyms": [["leave", "vacation"]]}'),
  )
  .action((name: string, said: queries.CollectionSaid) => ask((client) => queries.createCollection(client, name, said)));
collections
  .command('show')
  .description('show one collection')
  .argument('<name>')
  .action((name: string) => ask((client) => queries.showCollection(client, name)));
collections
  .command('delete')
  .description('delete a collection with everything in it')
  .argument('<name>')
  .requiredOption('--confirm <name>', 'its name again, to confirm')
  .action((name: string, { confirm }: { confirm: string }) => ask((client) => queries.deleteCollection(client, name, confirm)));
program
  .command('mcp')
  .description(
    'speak MCP on standard input and output, for programs that start their tools themselves; the server must run with MCP=on',
  )
  .action(async () => {
    const { bridgeMcp } = await import('./mcp.ts');
    const { url, key, collection } = globals();
    await bridgeMcp({
      url,
      key: orNull(key),
      collection: orNull(collection),
      note: (line) => console.error(printable(line)),
    });
  });

const webhooks = program.command('webhooks').description('webhook deliveries and secrets');
webhooks
  .command('list', { isDefault: true })
  .description('list deliveries, newest first')
  .addOption(new Option('--state <state>').choices([...deliveryStates]))
  .option('--limit <count>', 'how many', wholeNumber(1, 1000), 50)
  .action((options: { state?: string; limit: number }) =>
    ask((client) => queries.listDeliveries(client, { state: options.state, limit: options.limit })),
  );
webhooks
  .command('replay')
  .description('send a delivery again')
  .argument('<delivery_id>')
  .action((id: string) => ask((client) => queries.replayDelivery(client, id)));
webhooks
  .command('secret')
  .description('create a secret for WEBHOOK_SECRET')
  .action(() => {
    const secret = writeSecret(randomBytes(32));
    say({ json: { secret }, text: secret });
  });

program
  .command('doctor')
  .description('check this machine, its settings and every document, and say what to do')
  .option('--repair', 'restore what is damaged from undamaged originals', false)
  .addOption(new Option('--data-dir <folder>').env('DATA_DIR').default('./data'))
  .action(async ({ repair, dataDir }: { repair: boolean; dataDir: string }) => {
    const { examine } = await import('./doctor.ts');
    const checks = await examine({ ...process.env, DATA_DIR: dataDir }, pageDir, { repair });
    say({
      json: { checks },
      text: table(
        ['CHECK', '', 'FOUND'],
        checks.map(({ name, state, sentence }) => [name, state, sentence]),
      ),
    });
    if (checks.some(({ state }) => state === 'problem')) process.exitCode = exitCodes.failed;
  });

program
  .command('parse')
  .description('print the Markdown of one file, without a server; its properties go to standard error')
  .argument('<file>')
  .addOption(passwordFile())
  .action(runParse);
program
  .command('backup')
  .description('copy DATA_DIR into a new folder; servers may keep running')
  .argument('<folder>')
  .addOption(new Option('--data-dir <folder>').env('DATA_DIR').default('./data'))
  .action(async (folder: string, { dataDir }: { dataDir: string }) => {
    const { backUp } = await import('./data-directory.ts');
    sayDone(await backUp(dataDir, folder));
  });
program
  .command('restore')
  .description('restore a backup into a DATA_DIR that is new or empty; no server may use it meanwhile')
  .argument('<folder>', 'the backup')
  .addOption(new Option('--data-dir <folder>').env('DATA_DIR').default('./data'))
  .action(async (folder: string, { dataDir }: { dataDir: string }) => {
    const { restore } = await import('./data-directory.ts');
    sayDone(await restore(folder, dataDir));
  });

program
  .command('move')
  .description('copy everything from one place to another; run it again to continue; no server may use either meanwhile')
  .requiredOption('--from <place>', 'a data directory, postgres://…, or redis://…,<one of these> (tasks there, the rest here)')
  .requiredOption('--to <place>', 'a place like that, new or empty, with its tables created by migrate')
  .action(runMove);

program
  .command('reindex')
  .description('compute the vectors of all documents again with the embedder of the settings; servers keep searching meanwhile')
  .option('--reparse', 'instead, read every document again from its original, after a change of settings or an update')
  .addOption(new Option('--data-dir <folder>').env('DATA_DIR').default('./data'))
  .action(async ({ dataDir, reparse: isReparse = false }: { dataDir: string; reparse?: boolean }) => {
    const interrupted = new AbortController();
    process.once('SIGINT', () => interrupted.abort());
    if (isReparse) {
      const { reparse } = await import('./reparse.ts');
      return say(await reparse(dataDir, (line) => console.error(line), interrupted.signal));
    }
    const { reindex } = await import('./data-directory.ts');
    say(await reindex(dataDir, (left) => console.error(`${left} documents left`), interrupted.signal));
  });

process.on('uncaughtException', (error) => process.exit(explainBug(error)));

try {
  if (existsSync('.env')) process.loadEnvFile('.env');
  // Without a word it serves: `npx rag-intake` is all that a first try needs.
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, 'serve']);
} catch (error) {
  process.exitCode = explain(error);
}

/**
 * Becomes the server: this process is replaced, so that signals and exit codes are its own. What is set here can be set only
 * before a process starts: fsyncs of several uploads need more than the 4 threads of libuv's pool; without a bound on V8's
 * young generation and on malloc's arenas both processes keep twice the memory that they use (`npm run soak`); and without a
 * fixed threshold malloc keeps what a document with large Buffers took, and the next ones would be blamed for it (`npm run torture
 * -- --only poison`).
 */
function becomeServer(role: string): void {
  const malloc = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' };
  const env = { UV_THREADPOOL_SIZE: '16', ...malloc, NODE_OPTIONS: '--max-semi-space-size=8', ...process.env };
  const envFile = existsSync('.env') ? ['--env-file=.env'] : [];
  process.execve!(process.execPath, [process.execPath, ...envFile, moduleFile('src/main'), '--role', role], env);
}

/** No password stands in a command, where every user of the machine can read it. */
function passwordFile(): Option {
  return new Option('--password-file <path>', 'file whose first line is the password of protected files').env(
    'DOCUMENT_PASSWORD_FILE',
  );
}

async function runParse(path: string, options: { readonly passwordFile?: string }): Promise<void> {
  const [{ readDocument, openOcr, whyNoOcr }, { showParsed, unreadable }] = await Promise.all([
    import('../parse/read-document.ts'),
    import('./parse.ts'),
  ]);
  const config = localSettings();
  const password = await readPassword(options.passwordFile);
  const seeing = { languages: config.ocrLanguages, pages: config.ocrPages, timeoutMs: config.pageMs };
  const ocr = await openOcr(seeing);
  try {
    const withoutOcr = whyNoOcr(seeing);
    const parsed = await readDocument(path, { limits: config, ocr, withoutOcr, ...(password === null ? {} : { password }) });
    const { markdown, about } = showParsed(parsed);
    if (globals().json === true) return say({ json: parsed, text: '' });
    process.stdout.write(markdown);
    process.stderr.write(about);
  } catch (error) {
    if (error instanceof DocumentError) throw new CliError(error.message);
    throw unreadable(path, error);
  }
}

async function runIngest(
  paths: string[],
  options: {
    prefix: string;
    parallel: number;
    again: boolean;
    mirror: boolean;
    yes: boolean;
    callbackUrl?: string;
    passwordFile?: string;
  },
): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const list = await listFiles(paths, options.prefix);
  if (options.mirror) requireFolders(paths, list);
  const progress = ingestProgress();
  const client = openClient((reason, waitMs) => progress.note(`Trying again in ${Math.ceil(waitMs / 1000)} s: ${reason}`));
  const { report, stoppedBy } = await ingest({
    client,
    files: list.files,
    unreadable: list.unreadable,
    parallel: options.parallel,
    again: options.again,
    callbackUrl: options.callbackUrl ?? null,
    password: await readPassword(options.passwordFile),
    ...descriptionGiven(options),
    progress,
    waitSeconds: process.stderr.isTTY === true ? 2 : 20,
    signal: interrupted.signal,
  });
  // What is renamed must be there under its new name before the old one goes.
  const isOver = stoppedBy === null && !interrupted.signal.aborted;
  const mirrored =
    options.mirror && isOver ? await mirror(client, { paths, prefix: options.prefix, list }, { yes: options.yes }) : null;
  client.close();
  const removals = mirrored === null ? {} : { removed: mirrored.removed, not_removed: mirrored.refused };
  say({
    json: { ...report, ...removals, passed_over: list.passedOver },
    text: reportText(report, list.passedOver, mirrored),
  });
  if (stoppedBy !== null) process.exitCode = stoppedBy.exitCode;
  else if (interrupted.signal.aborted) process.exitCode = exitCodes.interrupted;
  else if (report.failed > 0 || (mirrored?.refused.length ?? 0) > 0) process.exitCode = exitCodes.failed;
}

async function runWatch(
  folder: string,
  options: {
    prefix: string;
    parallel: number;
    mirror: boolean;
    yes: boolean;
    consume: boolean;
    every: number;
    settle: number;
  },
): Promise<void> {
  const { watch } = await import('./watch.ts');
  const stopped = new AbortController();
  process.once('SIGINT', () => stopped.abort());
  process.once('SIGTERM', () => stopped.abort());
  const client = openClient();
  const print = watchPrinter(globals().json === true);
  try {
    const { prefix, parallel, mirror: isMirror, yes, consume, every, settle } = options;
    const times = { everyMs: every * 1000, settleMs: settle * 1000 };
    await watch({
      client,
      folder,
      prefix,
      parallel,
      mirror: isMirror,
      yes,
      consume,
      ...descriptionGiven(options),
      ...times,
      tell: print,
      signal: stopped.signal,
    });
  } finally {
    client.close();
  }
}

/** A line for each event: JSON for programs, words for people and the journal. */
function watchPrinter(isJson: boolean): (event: WatchEvent) => void {
  if (isJson)
    return (event) =>
      console.log(JSON.stringify(event.kind === 'note' ? event : { ...event, docId: undefined, doc_id: event.docId }));
  return (event) => {
    if (event.kind === 'note') return console.error(printable(event.error));
    const line = `${event.kind} ${printable(event.docId)}`;
    if (event.kind === 'failed') console.error(`${line}: ${printable(event.error)}`);
    else console.log(line);
  };
}

async function runMove({ from, to }: { from: string; to: string }): Promise<void> {
  const [{ move }, { barProgress: bar, lineProgress: lines, silentProgress: silent }] = await Promise.all([
    import('./move.ts'),
    import('./move/move-progress.ts'),
  ]);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const isTerminal = process.stderr.isTTY === true;
  const progress = globals().json === true ? silent : isTerminal ? bar(process.stderr) : lines((line) => console.error(line));
  const said = await move(from, to, { progress, patienceMs: globals().patience * 1000, signal: interrupted.signal });
  say(said);
  if (!said.same) process.exitCode = exitCodes.failed;
}

function ingestProgress(): IngestProgress {
  if (process.stderr.isTTY === true && globals().json !== true) return barProgress(process.stderr);
  return globals().json === true ? silentProgress : lineProgress((line) => console.error(line));
}

async function createKey(
  name: string,
  { scope, collections: bound, file }: { scope: KeyScope; collections?: string; file?: string },
): Promise<void> {
  let made: { key: string; line: string };
  try {
    made = writeApiKey(name, scope, randomBytes(32), bound === undefined ? null : bound.split(',').map((each) => each.trim()));
  } catch (error) {
    throw new CliError(`This key cannot be created: ${(error as Error).message}.`, exitCodes.usage);
  }
  if (file !== undefined) await inWords(addKey(file, name, made.line));
  say({
    json: { name, scope, ...made },
    text: [
      `The key, shown only once (for clients, as RAG_INTAKE_KEY or Authorization: Bearer):\n  ${made.key}`,
      file === undefined
        ? `For the server, in API_KEYS or as a line of API_KEYS_FILE:\n  ${made.line}`
        : `It was added to ${file}; running servers that read this file accept it within about a second.`,
    ].join('\n'),
  });
}

async function ask(question: (client: ApiClient) => Promise<queries.Said>): Promise<void> {
  const client = openClient();
  try {
    say(await question(client));
  } finally {
    client.close();
  }
}

function openClient(onWait?: (reason: string, waitMs: number) => void): ApiClient {
  const { url, key, patience, collection } = globals();
  return createApiClient({
    url,
    collection: orNull(collection),
    key: orNull(key),
    patienceMs: patience * 1000,
    ...(onWait === undefined ? {} : { onWait }),
  });
}

/** A collection of the environment may stand there for other commands. */
function refuseWhatSaysNothing(command: Command): void {
  if (program.getOptionValueSource('collection') !== 'cli') return;
  const top = command.parent === program ? command.name() : (command.parent?.name() ?? '');
  if (!aboutACollection.includes(top)) throw new CliError(`--collection has no effect on \`${top}\`; remove it.`, exitCodes.usage);
}

/** An empty setting is none. */
function orNull(given: string | undefined): string | null {
  return given === undefined || given === '' ? null : given;
}

function globals(): GlobalOptions {
  return program.opts<GlobalOptions>();
}

function say({ json, text }: queries.Said): void {
  console.log(globals().json === true ? JSON.stringify(json, null, 2) : text);
}

function sayDone(done: queries.Said & { readonly isWell: boolean }): void {
  say(done);
  if (!done.isWell) process.exitCode = exitCodes.failed;
}

function explain(error: unknown): number {
  // Commander has printed what was wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof CliError) return sayFailed(error.message, error.exitCode);
  const known = explainStart(error, places());
  return known === null ? explainBug(error) : sayFailed(known.sentences.join('\n'), known.exitCode);
}

function sayFailed(message: string, exitCode: number): number {
  const sentence = withoutSecrets(message);
  if (globals().json === true) console.log(JSON.stringify({ error: sentence }));
  else console.error(printable(sentence));
  return exitCode;
}

/** What a command on this machine may have been kept from using. */
function places(): StartPlaces {
  const { HOST: host = '', PORT: port, DATA_DIR: inEnvironment } = process.env;
  const dataDir = process.argv[process.argv.indexOf('--data-dir') + 1];
  return { host, port: Number(port), dataDir: process.argv.includes('--data-dir') ? (dataDir ?? '') : (inEnvironment ?? './data') };
}

/** Node itself would print all that hangs on an error, and libraries hang on theirs what they sent, passwords too. */
function explainBug(error: unknown): number {
  const described = describeError(error, withoutSecrets);
  console.error(typeof described === 'string' ? described : described.stack);
  for (let one = described; typeof one !== 'string' && one.cause !== undefined;) {
    one = one.cause;
    console.error(`caused by: ${typeof one === 'string' ? one : one.stack}`);
  }
  return exitCodes.failed;
}

function nameList(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('a number from 0 to 1, such as 0.3');
  return value;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`a whole number from ${min} to ${max}`);
    return value;
  };
}
