/**
 * The files on their way to the server: checked against its limits first, then sent a few at a time, then followed as tasks. A
 * file waits as `ready` until its reader sends it, so that the doc_id can be changed. Nothing is replaced unasked: a file is sent on
 * the condition that its doc_id is free, and where it is not, its reader decides.
 */
import { batch, computed, signal, type Signal } from '@preact/signals';
import { ApiError, findDocuments, getDocument, keyWanted, toApiError } from './api.ts';
import { collectionQuery } from './collection.ts';
import { docIdProblem, numberedDocId, proposeDocId } from './doc-id.ts';
import { pinTask, putTask, taskById, unpinTask } from './task-list.ts';
import type { FoundFile } from './dropped-files.ts';
import type { WireConfig, WireDocument, WireTask } from './wire.ts';

export type Refusal = 'empty' | 'too_large' | 'unknown_format';

export type UploadState =
  | { readonly phase: 'ready' }
  /** Not sent: the server would not take it. `unknown_format` can be sent all the same, since the server looks at the content. */
  | { readonly phase: 'refused'; readonly reason: Refusal }
  /** A document has its doc_id already (null: is about to): its reader decides. */
  | { readonly phase: 'taken'; readonly existing: WireDocument | null }
  /** What is there was kept, and this file not sent. */
  | { readonly phase: 'skipped' }
  | { readonly phase: 'waiting' }
  | { readonly phase: 'sending'; readonly sentBytes: number; readonly msLeft: number | null }
  | { readonly phase: 'accepted'; readonly taskId: string }
  | { readonly phase: 'failed'; readonly error: ApiError };

export type Upload = {
  readonly key: number;
  readonly file: File;
  /** Name with folders; shown only. */
  readonly path: string;
  /** To read it again after the page was loaded anew; mostly null. */
  readonly handle: FileSystemFileHandle | null;
  readonly docId: Signal<string>;
  readonly state: Signal<UploadState>;
  /** What may happen to a document that has its doc_id already. */
  ifTaken: 'ask' | 'replace' | 'number';
};

/** All files of this page, in the order they came. */
export const uploads = signal<readonly Upload[]>([]);

/** Files sent at the same time. */
const sendingMax = 3;
/** Tries at one file while the server is busy or away. */
const triesMax = 8;
/** Numbers tried after a doc_id that is taken. */
const numbersMax = 100;
const retryMs = 2000;

const requests = new Map<number, XMLHttpRequest>();
const tries = new Map<number, number>();
/** One for each time a file is sent, kept while that is tried again: so an answer that was lost on the way is not a second upload. */
const sendingIds = new Map<number, string>();
let lastKey = 0;

export function addFiles(files: readonly FoundFile[], limits: WireConfig | null): void {
  const added = files.map(({ file, path, handle = null }): Upload => {
    lastKey += 1;
    const reason = refusal(file, limits);
    return {
      key: lastKey,
      file,
      path,
      handle,
      docId: signal(proposeDocId(path)),
      state: signal<UploadState>(reason === null ? { phase: 'ready' } : { phase: 'refused', reason }),
      ifTaken: 'ask',
    };
  });
  uploads.value = [...uploads.value, ...added];
  void lookUp(added).catch(() => undefined);
}

/**
 * Asks which of the doc_ids are taken, so that the question comes before the files are sent. It may come to nothing: what is taken is
 * found out when it is sent, too.
 */
async function lookUp(added: readonly Upload[]): Promise<void> {
  const waiting = added.filter(({ state, docId }) => state.peek().phase === 'ready' && docIdProblem(docId.peek()) === null);
  if (waiting.length === 0) return;
  const found = await findDocuments(waiting.map(({ docId }) => docId.peek()));
  batch(() => {
    for (const upload of waiting) {
      const existing = found.get(upload.docId.peek());
      if (existing !== undefined && upload.state.peek().phase === 'ready') upload.state.value = { phase: 'taken', existing };
    }
  });
}

/** Holds files that came before the limits were known against them. */
export function checkAgain(limits: WireConfig): void {
  for (const { file, state } of uploads.peek()) {
    const reason = state.peek().phase === 'ready' ? refusal(file, limits) : null;
    if (reason !== null) state.value = { phase: 'refused', reason };
  }
}

/** Why the server would not take this file, as far as size and name tell; null when it will. */
export function refusal(
  file: Pick<File, 'name' | 'size'>,
  limits: Pick<WireConfig, 'file_bytes_max' | 'formats'> | null,
): Refusal | null {
  if (file.size === 0) return 'empty';
  if (limits === null) return null;
  if (file.size > limits.file_bytes_max) return 'too_large';
  const extension = /\.([^.]+)$/.exec(file.name)?.[1]?.toLowerCase();
  const known = extension === undefined || limits.formats.length === 0 || limits.formats.includes(extension);
  return known ? null : 'unknown_format';
}

/** A doc_id given to two of the files that are ready: the later would replace the earlier. */
export const doubledDocIds = computed(() => {
  const seen = new Set<string>();
  const doubled = new Set<string>();
  for (const upload of uploads.value) {
    if (upload.state.value.phase !== 'ready') continue;
    const id = upload.docId.value;
    if (seen.has(id)) doubled.add(id);
    seen.add(id);
  }
  return doubled;
});

export const sendable = computed(() =>
  uploads.value.filter(
    ({ state, docId }) =>
      state.value.phase === 'ready' && docIdProblem(docId.value) === null && !doubledDocIds.value.has(docId.value),
  ),
);

/** Files whose doc_id is taken, and which wait for their reader's word. */
export const taken = computed(() => uploads.value.filter(({ state }) => state.value.phase === 'taken'));

/** In the order they are shown: what needs its reader first, then the order they came in. */
export const ordered = computed<readonly Upload[]>(() => {
  const urgent: Upload[] = [];
  const rest: Upload[] = [];
  for (const upload of uploads.value) (needsReader(upload) ? urgent : rest).push(upload);
  return urgent.length === 0 ? uploads.value : [...urgent, ...rest];
});

function needsReader(upload: Upload): boolean {
  return upload.state.value.phase === 'taken' || outcome(upload) === 'failed';
}

/** Something would be lost if the page went away now: files that are not with the server yet. */
export function hasUnsent(): boolean {
  return uploads.peek().some(({ state }) => ['ready', 'taken', 'waiting', 'sending'].includes(state.peek().phase));
}

export type Summary = {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly active: number;
  readonly bytes: number;
};

export const summary = computed<Summary>(() => {
  const sums = { total: 0, completed: 0, failed: 0, skipped: 0, active: 0, bytes: 0 };
  for (const upload of uploads.value) {
    const end = outcome(upload);
    sums.total += 1;
    sums.bytes += upload.file.size;
    if (end === 'completed') sums.completed += 1;
    else if (end === 'failed') sums.failed += 1;
    else if (end === 'skipped') sums.skipped += 1;
    else if (end === 'active') sums.active += 1;
  }
  return sums;
});

/** `idle`: not sent yet. */
export function outcome(upload: Upload): 'idle' | 'active' | 'completed' | 'failed' | 'skipped' {
  const state = upload.state.value;
  if (state.phase === 'ready' || state.phase === 'taken') return 'idle';
  if (state.phase === 'skipped') return 'skipped';
  if (state.phase === 'refused' || state.phase === 'failed') return 'failed';
  if (state.phase !== 'accepted') return 'active';
  const status = taskById(state.taskId)?.status;
  return status === 'completed' || status === 'failed' ? status : 'active';
}

export function sendAll(): void {
  for (const upload of sendable.value) upload.state.value = { phase: 'waiting' };
  pump();
}

/** Also for a file of unknown format, and again after a failure. */
export function send(upload: Upload): void {
  tries.delete(upload.key);
  sendingIds.delete(upload.key);
  upload.state.value = { phase: 'waiting' };
  pump();
}

/** What becomes of files whose doc_id is taken: in the place of what is there, beside it under a numbered doc_id, or not sent. */
export function decide(files: readonly Upload[], answer: 'replace' | 'number' | 'skip'): void {
  for (const upload of files) {
    if (answer === 'skip') {
      upload.state.value = { phase: 'skipped' };
      continue;
    }
    upload.ifTaken = answer;
    if (answer === 'number') upload.docId.value = numberedDocId(upload.docId.peek());
    sendingIds.delete(upload.key);
    upload.state.value = { phase: 'waiting' };
  }
  pump();
}

/** Takes the file off the list, and off the wire if it is on it. A task that was made of it goes on. */
export function removeUpload(upload: Upload): void {
  requests.get(upload.key)?.abort();
  forget(upload);
  uploads.value = uploads.value.filter((each) => each !== upload);
  pump();
}

export function clearEnded(): void {
  const [kept, ended] = [[] as Upload[], [] as Upload[]];
  for (const upload of uploads.value) (['idle', 'active'].includes(outcome(upload)) ? kept : ended).push(upload);
  ended.forEach(forget);
  uploads.value = kept;
}

function forget(upload: Upload): void {
  tries.delete(upload.key);
  sendingIds.delete(upload.key);
  const state = upload.state.peek();
  if (state.phase === 'accepted') unpinTask(state.taskId);
}

// A key that was accepted lets waiting files go on.
keyWanted.subscribe((wanted) => {
  if (!wanted) pump();
});

function pump(): void {
  if (keyWanted.peek()) return;
  for (const upload of uploads.peek()) {
    if (requests.size >= sendingMax) return;
    if (upload.state.peek().phase === 'waiting' && !requests.has(upload.key)) transmit(upload);
  }
}

function transmit(upload: Upload): void {
  const request = new XMLHttpRequest();
  const startedMs = performance.now();
  requests.set(upload.key, request);
  upload.state.value = { phase: 'sending', sentBytes: 0, msLeft: null };
  request.upload.addEventListener('progress', (event) => {
    const sentBytes = Math.min(event.loaded, upload.file.size);
    const elapsedMs = performance.now() - startedMs;
    const rest = upload.file.size - sentBytes;
    upload.state.value = {
      phase: 'sending',
      sentBytes,
      msLeft: elapsedMs < 1000 ? null : (elapsedMs / Math.max(1, sentBytes)) * rest,
    };
  });
  request.addEventListener('loadend', () => {
    requests.delete(upload.key);
    if (uploads.peek().includes(upload)) settle(upload, request);
    pump();
  });
  request.open('POST', `insert?doc_id=${encodeURIComponent(upload.docId.peek())}${collectionQuery('&')}`);
  request.setRequestHeader('accept-language', document.documentElement.lang);
  request.setRequestHeader('prefer', 'respond-async');
  request.setRequestHeader('idempotency-key', sendingIdOf(upload));
  if (upload.ifTaken !== 'replace') request.setRequestHeader('if-none-match', '*');
  const form = new FormData();
  const folder = upload.path.slice(0, -upload.file.name.length).replace(/\/$/, '');
  if (folder !== '') form.append('metadata', JSON.stringify({ folder: folder.slice(0, 1024) }));
  form.append('file', upload.file, upload.file.name);
  request.send(form);
}

function settle(upload: Upload, request: XMLHttpRequest): void {
  if (request.status >= 200 && request.status < 300) {
    const answer = JSON.parse(request.responseText) as Partial<WireTask> & { task_id: string };
    if (answer.status !== undefined && answer.updated_at !== undefined) putTask(answer as WireTask);
    pinTask(answer.task_id);
    upload.state.value = { phase: 'accepted', taskId: answer.task_id };
    return;
  }
  const error =
    request.status === 0
      ? new ApiError(0, 'The server cannot be reached.')
      : toApiError(request.status, request.getResponseHeader('retry-after'), request.responseText);
  const tried = (tries.get(upload.key) ?? 0) + 1;
  tries.set(upload.key, tried);
  if (error.status === 401) {
    upload.state.value = { phase: 'waiting' };
    keyWanted.value = true;
  } else if (error.status === 412) {
    void settleTaken(upload);
  } else if (tried < triesMax && (error.status === 0 || error.status === 503 || error.retryAfterSeconds !== null)) {
    upload.state.value = { phase: 'waiting' };
    // It keeps its place among the few that are sent: a server that says "later" is not to be asked by the next file at once.
    requests.set(upload.key, request);
    setTimeout(
      () => {
        requests.delete(upload.key);
        pump();
      },
      Math.min(30_000, (error.retryAfterSeconds ?? 0) * 1000 || retryMs),
    );
  } else {
    upload.state.value = { phase: 'failed', error };
  }
}

/** Something is there under this doc_id: a further number is tried, or its reader asked. */
async function settleTaken(upload: Upload): Promise<void> {
  sendingIds.delete(upload.key);
  if (upload.ifTaken === 'number' && (tries.get(upload.key) ?? 0) < numbersMax) {
    upload.docId.value = numberedDocId(upload.docId.peek());
    upload.state.value = { phase: 'waiting' };
    pump();
    return;
  }
  upload.state.value = { phase: 'taken', existing: null };
  const existing = await getDocument(upload.docId.peek()).catch(() => null);
  if (upload.state.peek().phase === 'taken') upload.state.value = { phase: 'taken', existing };
}

/** `crypto.randomUUID` is missing where the page comes over plain HTTP from another machine. */
function sendingIdOf(upload: Upload): string {
  const known = sendingIds.get(upload.key);
  if (known !== undefined) return known;
  const made = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');
  sendingIds.set(upload.key, made);
  return made;
}
