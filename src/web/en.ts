/** The page's sentences in English; the shape that every catalogue has. */
import type { DocumentErrorCode } from '../errors.ts';
import type { TaskStage, TaskStatus } from '../tasks/task.ts';
import type { DocIdProblem } from './doc-id.ts';
import type { Connection } from './feed.ts';
import type { View } from './route.ts';
import type { DocumentSort } from './document-list.ts';
import type { TaskSort } from './task-list.ts';
import type { FileKind } from './search-filters.ts';
import type { Refusal } from './uploads.ts';
import type { WireStatus } from './wire.ts';

export type Catalogue = {
  readonly views: Record<View, string>;
  readonly nav: string;
  readonly skip: string;
  readonly toDark: string;
  readonly toLight: string;
  readonly otherLanguage: string;
  readonly connection: Record<Connection, string>;
  readonly close: string;
  readonly keep: string;
  readonly loading: string;
  readonly tryAgain: string;
  readonly failedToLoad: string;
  readonly copied: string;
  readonly details: string;
  readonly cancel: string;
  readonly collection: string;
  readonly notices: string;
  readonly closeNotice: string;
  readonly loadFailed: { readonly title: string; readonly hint: string; readonly reload: string };
  readonly problems: { readonly unreachable: string; readonly unexpected: string };
  /** Why a request was refused: in this language where there are words for the server's code. */
  readonly problem: (code: string, sentence: string) => string;

  readonly store: Record<Exclude<WireStatus['store'], 'ready'>, string>;
  readonly workerDown: string;
  readonly offline: string;

  readonly login: {
    readonly title: string;
    readonly hint: string;
    readonly key: string;
    readonly send: string;
    readonly wrong: string;
    readonly provider: string;
    readonly logout: string;
  };

  readonly upload: {
    readonly lead: string;
    readonly drop: string;
    readonly dropNow: string;
    readonly or: string;
    readonly choose: string;
    readonly folder: string;
    /** `some` kinds by name, and how many `more` there are. */
    readonly limits: (max: string, some: string, more: number) => string;
    readonly list: string;
    readonly send: (files: number) => string;
    readonly clear: string;
    readonly docId: (filename: string) => string;
    readonly docIdShort: string;
    readonly details: string;
    readonly actionOn: (action: string, filename: string) => string;
    readonly mayNot: string;
    readonly leftOut: (taken: string, all: string, max: string) => string;
    readonly taken: (filename: string, since: string, size: string) => string;
    readonly takenSoon: string;
    readonly takenCount: (files: number) => string;
    readonly replace: string;
    readonly replaceAll: string;
    readonly keepBoth: string;
    readonly keepBothAll: string;
    readonly skip: string;
    readonly skipAll: string;
    readonly skipped: string;
    readonly notYet: string;
    readonly copySummary: string;
    readonly leftBehind: (files: string) => string;
    readonly leftReadable: (files: string) => string;
    readonly goOn: (files: number) => string;
    readonly whichFiles: string;
    readonly forgetThem: string;
    readonly notRetried: (filename: string) => string;
    readonly pasted: (characters: string) => string;
    readonly addPasted: string;
    readonly docIdProblems: Record<DocIdProblem | 'doubled', string>;
    readonly refusals: Record<Refusal, (max: string) => string>;
    readonly sendAnyway: string;
    readonly remove: (filename: string) => string;
    readonly retry: (filename: string) => string;
    readonly steps: readonly [string, string, string, string, string, string];
    readonly ready: string;
    readonly waiting: string;
    readonly sending: (sent: string, total: string) => string;
    readonly pages: (done: string, total: string) => string;
    readonly chunks: (done: string, total: string) => string;
    readonly queuePosition: (position: string) => string;
    readonly left: (duration: string) => string;
    readonly done: (pages: string) => string;
    readonly unchanged: string;
    readonly superseded: string;
    readonly summary: (done: number, total: number, failed: number) => string;
    readonly searchNow: string;
    readonly progressOf: (filename: string) => string;
    readonly pastedName: string;
  };

  readonly stages: Record<TaskStage, string>;
  readonly statuses: Record<TaskStatus, string>;

  readonly tasks: {
    readonly all: string;
    readonly filter: string;
    readonly find: string;
    readonly none: string;
    readonly noneAtAll: string;
    readonly known: (tasks: string, more: boolean) => string;
    readonly cancel: string;
    readonly stop: string;
    readonly retry: string;
    readonly copyId: string;
    readonly actionOn: (action: string, filename: string) => string;
    readonly details: (filename: string) => string;
    readonly whatToDo: string;
    readonly fields: {
      readonly id: string;
      readonly docId: string;
      readonly size: string;
      readonly created: string;
      readonly started: string;
      readonly finished: string;
      readonly attempts: string;
      readonly stage: string;
      readonly error: string;
      readonly code: string;
      readonly warnings: string;
      readonly chunks: string;
    };
    readonly many: (action: string, tasks: string) => string;
    readonly stopMany: (tasks: string) => string;
    readonly notCancelled: (filename: string) => string;
    readonly notStopped: (filename: string) => string;
    readonly stopQuestion: (filename: string) => string;
    readonly stopHint: string;
    readonly seeInDocuments: string;
    readonly sort: string;
    readonly sorts: Record<TaskSort, string>;
  };

  /** What a failure means and what to do about it. */
  readonly advice: Record<DocumentErrorCode, string>;
  /** The same for kinds of files that the server's sentence names and says what to do with, by that sentence. Empty in English. */
  readonly unread: Readonly<Record<string, string>>;
  /** What happened, in this language; the server's own sentence is English. */
  readonly failure: (code: DocumentErrorCode, sentence: string) => string;
  readonly serverSays: string;

  readonly documents: {
    readonly none: string;
    readonly find: string;
    readonly text: string;
    readonly original: string;
    readonly remove: string;
    readonly searchIn: string;
    readonly actionOn: (action: string, filename: string) => string;
    readonly pages: (pages: string) => string;
    readonly chunks: (chunks: string) => string;
    readonly question: (filename: string) => string;
    readonly questionHint: (seconds: number) => string;
    readonly notDeleted: (filename: string) => string;
    readonly noneFits: (text: string) => string;
    readonly confirm: string;
    readonly leaving: string;
    readonly undo: string;
    readonly known: (documents: string, more: boolean) => string;
    readonly earlier: string;
    readonly later: string;
    readonly back: string;
    readonly gone: string;
    readonly table: string;
    readonly sort: string;
    readonly sorts: Record<DocumentSort, string>;
    readonly only: (name: string, value: string) => string;
    readonly everything: string;
    readonly describe: string;
    readonly questionMany: (documents: string) => string;
    readonly many: (documents: string) => string;
    readonly leavingMany: (what: string) => string;
    readonly sheets: string;
    readonly contents: string;
  };

  readonly selection: {
    readonly title: string;
    readonly choose: (name: string) => string;
    readonly chosen: (rows: string) => string;
    readonly all: string;
    readonly none: string;
  };

  readonly describe: {
    readonly title: string;
    readonly author: string;
    readonly size: string;
    readonly type: string;
    readonly language: string;
    readonly parts: string;
    readonly docId: string;
    readonly filename: string;
    readonly memberName: string;
    readonly memberValue: string;
    readonly edit: string;
    readonly save: string;
    readonly saved: (filename: string) => string;
    readonly savedMany: (documents: string) => string;
    readonly notSaved: (filename: string) => string;
    readonly many: (documents: string) => string;
    readonly manyHint: string;
  };

  readonly search: {
    readonly label: string;
    readonly hint: string;
    readonly keys: string;
    readonly start: string;
    readonly acrossLanguages: string;
    readonly alsoIn: (places: readonly string[]) => string;
    readonly shownFor: (query: string) => string;
    readonly none: (query: string) => string;
    readonly noneHint: string;
    readonly found: (hits: string, total: string, ms: string) => string;
    readonly searching: (query: string) => string;
    readonly more: string;
    readonly match: Record<'strong' | 'partial' | 'weak', string>;
    readonly moreOf: (hits: number) => string;
    readonly fewerOf: string;
    readonly filters: string;
    readonly where: string;
    readonly everyCollection: string;
    readonly kind: string;
    readonly anyKind: string;
    readonly kinds: Record<FileKind, string>;
    readonly age: string;
    readonly anyAge: string;
    readonly lastDays: (days: number) => string;
    readonly withoutFilters: string;
    readonly copyCitation: string;
    readonly inThisDocument: string;
    readonly previousHit: string;
    readonly nextHit: string;
    readonly hitOf: (hit: string, hits: string) => string;
    readonly pictureOf: (filename: string) => string;
    readonly turn: string;
    readonly allPages: string;
    readonly page: (page: string) => string;
    readonly only: (docId: string) => string;
    readonly everywhere: string;
    readonly clear: string;
    readonly hits: string;
    readonly viewer: (filename: string) => string;
    readonly pageOf: (page: string, pages: string) => string;
    readonly previousPage: string;
    readonly nextPage: string;
    readonly larger: string;
    readonly smaller: string;
    readonly marked: string;
    readonly unmarked: string;
    readonly showText: string;
    readonly showPage: string;
    readonly pdfFailed: string;
  };

  readonly moving: { readonly start: string };

  readonly collections: { readonly title: string; readonly manage: string };
  readonly keys: { readonly title: string; readonly manage: string };

  readonly settings: {
    readonly title: string;
    readonly who: string;
    readonly nobody: string;
    readonly may: string;
    readonly scopes: Record<'read' | 'write' | 'admin', string>;
    readonly collection: string;
    readonly largest: string;
    readonly answers: string;
    readonly pictures: string;
    readonly available: string;
    readonly notSetUp: (...settings: readonly string[]) => string;
    readonly formats: string;
  };

  readonly system: {
    readonly server: string;
    readonly queue: string;
    readonly running: string;
    readonly throughput: string;
    readonly pending: (files: number) => string;
    readonly processing: (running: string, threads: string) => string;
    readonly mostInHour: (most: string) => string;
    readonly lastHour: string;
    readonly finished: (failed: string) => string;
    readonly perMinute: (files: string, failed: string) => string;
    readonly completed: string;
    readonly failed: string;
    readonly volume: string;
    readonly disk: string;
    readonly diskFree: (free: string, total: string) => string;
    readonly documents: string;
    readonly chunks: string;
    readonly damaged: string;
    readonly index: string;
    readonly worker: string;
    readonly up: string;
    readonly down: string;
    readonly storeState: string;
    readonly storeReady: string;
    readonly version: string;
    readonly noData: string;
    readonly chart: (title: string, now: string, max: string) => string;
  };
};

export const en: Catalogue = {
  views: { upload: 'Upload', tasks: 'Tasks', documents: 'Documents', search: 'Search', system: 'System' },
  nav: 'Main menu',
  skip: 'Skip to main content',
  toDark: 'Switch to dark theme',
  toLight: 'Switch to light theme',
  otherLanguage: '中文',
  connection: { connecting: 'Connecting', live: 'Live', polling: 'Live, every 2 seconds', offline: 'Disconnected' },
  close: 'Close',
  keep: 'Keep',
  loading: 'Loading…',
  tryAgain: 'Try again',
  failedToLoad: 'This could not be loaded.',
  copied: 'Copied',

  details: 'Details',
  cancel: 'Cancel',
  collection: 'Collection',
  notices: 'Messages',
  closeNotice: 'Close this message',
  loadFailed: {
    title: 'This part of the page could not be loaded',
    hint: 'Check your connection. If the server has just been updated, reload the page.',
    reload: 'Reload the page',
  },
  problems: {
    unreachable: 'The server cannot be reached. Check your connection and try again.',
    unexpected: 'Something went wrong. Reload the page.',
  },
  problem: (code, sentence) => (code === 'forbidden' ? `Your API key does not allow this. ${sentence}` : sentence),

  store: {
    full: 'The disk is full. Your documents are safe, but no new files can be added until there is space: delete documents you no longer need, or ask an administrator for a larger disk.',
    read_only:
      'The disk is read-only. You can still search; new files cannot be added until an administrator makes it writable again.',
    unusable: 'The server cannot use its data folder. Ask an administrator to check the server log.',
    starting: 'The service is starting. This takes a few seconds.',
  },
  workerDown: 'Document processing has stopped and is being restarted. You can still add files; they wait in the queue.',
  offline: 'The server is not responding. What you see may be out of date; this page reconnects by itself.',

  login: {
    title: 'Sign in',
    hint: 'Enter your API key to sign in. An administrator creates one with “rag-intake key create”.',
    key: 'API key',
    send: 'Sign in',
    wrong: 'This API key is not valid. Check that it is complete, or ask an administrator for a new one.',
    provider: 'Sign in with your organisation',
    logout: 'Sign out',
  },

  upload: {
    lead: 'Add documents. You can search each one as soon as it is ready.',
    drop: 'Drop files or folders here',
    dropNow: 'Drop to add',
    or: 'or paste them, or',
    choose: 'Choose files',
    folder: 'Choose a folder',
    limits: (max, some, more) => `Up to ${max} per file: ${some}${more === 0 ? '' : ` and ${more} more kinds`}`,
    list: 'Files',
    send: (files) => (files === 1 ? 'Upload 1 file' : `Upload ${files} files`),
    clear: 'Clear finished',
    docId: (filename) => `Document ID of ${filename}`,
    docIdShort: 'Document ID',
    details: 'Details',
    actionOn: (action, filename) => `${action}: ${filename}`,
    mayNot: 'Your API key is for reading only. Ask an administrator for one that may upload.',
    leftOut: (taken, all, max) =>
      `Only ${taken} of ${all} files were added: at most ${max} are taken at once. Add the others after these are done.`,
    taken: (filename, since, size) => `“${filename}” is already here (added ${since}, ${size}).`,
    takenSoon: 'Another upload of this document is being processed.',
    takenCount: (files) =>
      files === 1 ? '1 file is already here. What do you want to do?' : `${files} files are already here. What do you want to do?`,
    replace: 'Replace',
    replaceAll: 'Replace all',
    keepBoth: 'Keep both',
    keepBothAll: 'Keep all of both',
    skip: 'Skip',
    skipAll: 'Skip all',
    skipped: 'Skipped; the existing document was kept',
    notYet: 'not finished',
    copySummary: 'Copy summary',
    leftBehind: (files) =>
      files === '1'
        ? 'When this page was closed, 1 file had not been uploaded yet. Choose it again to upload it.'
        : `When this page was closed, ${files} files had not been uploaded yet. Choose them again to upload them.`,
    leftReadable: (files) => `When this page was closed, ${counted(files, 'file')} had not been uploaded yet.`,
    goOn: (files) => (files === 1 ? 'Add this file again' : `Add ${files} files again`),
    whichFiles: 'Which files?',
    forgetThem: 'Dismiss',
    notRetried: (filename) => `${filename} was not retried.`,
    pasted: (characters) => `You pasted ${characters} characters outside a field.`,
    addPasted: 'Add as a document',
    docIdProblems: {
      empty: 'Enter an ID.',
      too_long: 'At most 256 characters.',
      control_characters: 'No control characters.',
      doubled: 'Another file in this list has the same ID; it would be replaced.',
    },
    refusals: {
      empty: () => 'This file is empty. Choose one that has content.',
      too_large: (max) => `This file is larger than ${max}, the most this server accepts. Split it, or ask for a higher limit.`,
      unknown_format: () => 'This kind of file cannot be read here. Save it as PDF, DOCX, HTML or text.',
    },
    sendAnyway: 'Upload anyway',
    remove: (filename) => `Remove ${filename} from this list`,
    retry: (filename) => `Upload ${filename} again`,
    steps: ['Upload', 'Queue', 'Read', 'Split', 'Analyse', 'Index'],
    ready: 'Ready to upload',
    waiting: 'Waiting to upload',
    sending: (sent, total) => `${sent} of ${total}`,
    pages: (done, total) => `page ${done} of ${total}`,
    chunks: (done, total) => `part ${done} of ${total}`,
    queuePosition: (position) => `${counted(position, 'file')} ahead`,
    left: (duration) => `about ${duration} left`,
    done: (pages) => counted(pages, 'page'),
    unchanged: 'Nothing has changed',
    superseded: 'Replaced by a newer upload of this document',
    summary: (done, total, failed) => `${done} of ${total} done${failed === 0 ? '' : `, ${failed} failed`}`,
    searchNow: 'Search it',
    progressOf: (filename) => `Progress of ${filename}`,
    pastedName: 'Pasted text',
  },

  stages: {
    queued: 'Queued',
    parsing: 'Reading',
    chunking: 'Splitting',
    embedding: 'Analysing',
    indexing: 'Indexing',
    done: 'Done',
  },
  statuses: { pending: 'Pending', processing: 'Processing', completed: 'Completed', failed: 'Failed' },

  tasks: {
    all: 'All',
    filter: 'Show',
    find: 'Find by file name or ID',
    none: 'No tasks match.',
    noneAtAll: 'No tasks yet. Upload a file to follow it here.',
    known: (tasks, more) => (more ? `${tasks} tasks so far; scroll for more` : counted(tasks, 'task')),
    cancel: 'Cancel',
    stop: 'Stop',
    retry: 'Retry',
    copyId: 'Copy ID',
    actionOn: (action, filename) => `${action}: ${filename}`,
    details: (filename) => `Details of ${filename}`,
    whatToDo: 'What to do',
    fields: {
      id: 'Task ID',
      docId: 'Document ID',
      size: 'Size',
      created: 'Added',
      started: 'Started',
      finished: 'Finished',
      attempts: 'Attempts',
      stage: 'Step',
      error: 'What happened',
      code: 'Code',
      warnings: 'Warnings',
      chunks: 'Searchable parts',
    },
    many: (action, tasks) => `${action} (${tasks})`,
    stopMany: (tasks) => `Stop ${tasks} tasks?`,
    notCancelled: (filename) => `${filename} was not cancelled.`,
    notStopped: (filename) => `${filename} was not stopped.`,
    stopQuestion: (filename) => `Stop ${filename}?`,
    stopHint:
      'This document is being processed. The work done so far is discarded; an earlier version, if there is one, is kept. You can retry it later.',
    seeInDocuments: 'Open text',
    sort: 'Sort by',
    sorts: { '-created_at': 'Newest first', created_at: 'Oldest first', filename: 'Name', '-file_size': 'Largest first' },
  },

  unread: {},

  advice: {
    unsupported_format: 'Save the file in a supported format, such as PDF, DOCX, HTML or plain text, and upload it again.',
    encrypted: 'Remove the password (open the file, then save it without protection) and upload it again.',
    corrupt: 'Open the file in the program that made it and save it again; if it does not open there either, get another copy.',
    no_text: 'No text was found in it. If it is a scan, make sure that it is sharp and upright, or scan it again.',
    limit_exceeded: 'Split the document into parts, or ask an administrator to raise the limit that the message names.',
    timeout: 'Retry when the server is less busy. If it happens again, split the document or ask for a longer time limit.',
    out_of_memory: 'Split the document into parts, or ask an administrator to allow more memory for reading documents.',
    worker_crashed: 'Reading this document fails each time. Save it again, or in another format, and upload that.',
    embedder_failed: 'The embedding service did not respond. Retry later; if it happens again, tell an administrator.',
    stalled: 'The server got stuck; the document is not the cause. Retry later; if it happens again, tell an administrator.',
    cancelled: 'The task was cancelled. Retry if you still need it.',
    document_deleted: 'The document was deleted. Upload the file again if you still need it.',
    record_corrupt: 'The record of this task is damaged. Upload the file again.',
    storage_failed: 'The server could not save the document. Ask an administrator to check the disk, then retry.',
    internal:
      'Something went wrong on the server. Retry once; if it happens again, give the task ID (under Details) to an administrator, who finds the reason in the log.',
  },

  failure: (_code, sentence) => sentence,
  serverSays: 'Message from the server',

  documents: {
    none: 'No documents yet. Upload one to search it.',
    find: 'Find by name or ID',
    text: 'Text',
    original: 'Original',
    remove: 'Delete',
    searchIn: 'Search in it',
    actionOn: (action, filename) => `${action}: ${filename}`,
    pages: (pages) => counted(pages, 'page'),
    chunks: (chunks) => counted(chunks, 'searchable part'),
    question: (filename) => `Delete ${filename}?`,
    questionHint: (seconds) =>
      `It no longer appears in searches, and its text and original file are deleted from the server. You can undo this for ${seconds} seconds; after that, only uploading it again brings it back.`,
    notDeleted: (filename) => `${filename} was not deleted.`,
    noneFits: (text) => `No document matches “${text}”.`,
    confirm: 'Delete',
    leaving: 'Deleting',
    undo: 'Undo',
    known: (documents, more) => (more ? `${documents} documents so far; scroll for more` : counted(documents, 'document')),
    earlier: 'Show earlier text',
    later: 'Show more text',
    back: 'Back to the documents',
    gone: 'This document no longer exists.',
    table: 'Table',
    sort: 'Sort by',
    sorts: {
      '-inserted_at': 'Newest first',
      inserted_at: 'Oldest first',
      filename: 'Name',
      '-file_size': 'Largest first',
      '-pages': 'Most pages first',
    },
    only: (name, value) => `Only with ${name}: ${value}`,
    everything: 'Show all documents',
    describe: 'Edit details',
    questionMany: (documents) => `Delete ${documents} documents?`,
    many: (documents) => `${documents} documents`,
    leavingMany: (what) => `Deleting ${what}.`,
    sheets: 'Sheets',
    contents: 'Contents',
  },

  selection: {
    title: 'Selected',
    choose: (name) => `Select ${name}`,
    chosen: (rows) => `${rows} selected`,
    all: 'Select all that match',
    none: 'Clear selection',
  },

  describe: {
    title: 'Title',
    author: 'Author',
    size: 'Size',
    type: 'Type',
    language: 'Language',
    parts: 'Searchable parts',
    docId: 'Document ID',
    filename: 'File name',
    memberName: 'Name',
    memberValue: 'Value',
    edit: 'Edit details',
    save: 'Save',
    saved: (filename) => `The details of ${filename} were saved.`,
    savedMany: (documents) => `The details of ${documents} documents were saved.`,
    notSaved: (filename) => `The details of ${filename} were not saved.`,
    many: (documents) => `Edit details of ${documents} documents`,
    manyHint: 'An empty value removes the detail.',
  },

  search: {
    acrossLanguages: 'found by translation',
    alsoIn: (places) => `also in ${places.join(', ')}`,
    shownFor: (query) => `Showing results for “${query}”.`,
    label: 'Search all documents',
    hint: 'Ask or type a few words',
    keys: 'Press / to search, ↓ to go through the results, Enter to open one, Esc to go back.',
    start: 'Type a question or a few words.',
    none: (query) => `Nothing found for “${query}”.`,
    noneHint: 'Try fewer or other words, or check under Tasks whether your file is done.',
    found: (hits, total, ms) => `${hits === total ? counted(hits, 'passage') : `${hits} of ${total} passages`} in ${ms} ms`,
    searching: (query) => `Searching for “${query}”…`,
    more: 'Show more',
    match: { strong: 'Strong match', partial: 'Partial match', weak: 'Weak match' },
    moreOf: (hits) => (hits === 1 ? '1 more passage in this document' : `${hits} more passages in this document`),
    fewerOf: 'Show fewer',
    filters: 'Narrow the search',
    where: 'Where to search',
    everyCollection: 'All collections',
    kind: 'Type of file',
    anyKind: 'Any type',
    kinds: {
      pdf: 'PDF',
      word: 'Word',
      excel: 'Excel',
      powerpoint: 'PowerPoint',
      web: 'Web page',
      mail: 'Email',
      markdown: 'Markdown',
      text: 'Plain text',
      csv: 'CSV',
    },
    age: 'When it was added',
    anyAge: 'Any time',
    lastDays: (days) => (days === 1 ? 'Last day' : days === 7 ? 'Last week' : days === 30 ? 'Last month' : 'Last year'),
    withoutFilters: 'Search without filters',
    copyCitation: 'Copy citation',
    inThisDocument: 'Passages in this document',
    previousHit: 'Previous passage',
    nextHit: 'Next passage',
    hitOf: (hit, hits) => `Passage ${hit} of ${hits}`,
    pictureOf: (filename) => `Picture: ${filename}`,
    turn: 'Rotate',
    allPages: 'Pages',
    page: (page) => `Page ${page}`,
    only: (docId) => `Only in ${docId}`,
    everywhere: 'Search everywhere',
    clear: 'Clear',
    hits: 'Passages found',
    viewer: (filename) => `Passage in ${filename}`,
    pageOf: (page, pages) => `Page ${page} of ${pages}`,
    previousPage: 'Previous page',
    nextPage: 'Next page',
    larger: 'Larger',
    smaller: 'Smaller',
    marked: 'The passage is marked on the page.',
    unmarked: 'The passage could not be located on this page. Choose “Show as text” to read it.',
    showText: 'Show as text',
    showPage: 'Show the page',
    pdfFailed: 'The page could not be displayed; here is its text.',
  },

  moving: { start: 'Move to…' },

  collections: { title: 'Collections', manage: 'Manage collections' },
  keys: { title: 'API keys', manage: 'Manage keys' },

  settings: {
    title: 'You and this server',
    who: 'Signed in as',
    nobody: 'Nobody: this server does not require signing in',
    may: 'You may',
    scopes: {
      read: 'search and read',
      write: 'search, read, upload and delete',
      admin: 'do everything, and see everybody’s tasks',
    },
    collection: 'Collection',
    largest: 'Largest file',
    answers: 'Answers with citations',
    pictures: 'Pictures and scans',
    available: 'Available',
    notSetUp: (...settings) => `Not set up. Ask an administrator (${settings.join(' or ')}).`,
    formats: 'Supported formats',
  },

  system: {
    server: 'Server',
    queue: 'Waiting',
    running: 'Running',
    throughput: 'Finished',
    pending: (files) => (files === 1 ? 'file waits' : 'files wait'),
    processing: (running, threads) => `${running} of ${threads} threads busy`,
    mostInHour: (most) => `last hour, peak ${most}`,
    lastHour: 'last hour, by the minute',
    finished: (failed) => `done, ${failed} failed`,
    perMinute: (files, failed) => `${files} done, ${failed} failed`,
    completed: 'Done',
    failed: 'Failed',
    volume: 'read',
    disk: 'Disk',
    diskFree: (free, total) => `${free} free of ${total}`,
    documents: 'Documents',
    chunks: 'Searchable parts',
    damaged: 'Damaged documents',
    index: 'Search index',
    worker: 'Document processing',
    up: 'Running',
    down: 'Not running',
    storeState: 'Storage',
    storeReady: 'Ready',
    version: 'Version',
    noData: 'No data yet.',
    chart: (title, now, max) => `${title}: ${now} now, peak ${max}`,
  },
};

function counted(count: string, noun: string): string {
  return `${count} ${noun}${count === '1' ? '' : 's'}`;
}
