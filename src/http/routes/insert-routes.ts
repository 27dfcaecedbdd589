/** POST /insert and PUT /documents/{doc_id}: a file comes in, becomes a task, and is answered when done or at once. */
import type { Context } from 'koa';
import { nameOf, type ScopedId, scopedId } from '../../documents/document-name.ts';
import { askedCollection } from '../access/asked-collection.ts';
import { AppError, type RequestErrorCode } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { isTerminal, taskStatuses, type Task, type TaskId, type TaskSnapshot } from '../../tasks/task.ts';
import { troubleOf } from '../../trouble.ts';
import { callerOf } from '../access/access.ts';
import { hasPrecondition, requireUnchanged } from '../wire/conditional.ts';
import { rawFilename } from '../upload/raw-filename.ts';
import { validatorsOf } from './document-routes.ts';
import type { HttpSettings } from '../http-settings.ts';
import { fingerprint, type Idempotency, type IdempotencyEntry } from '../wire/idempotency.ts';
import type { KeptReply } from '../../storage/idempotency-store.ts';
import { loggable } from '../log-text.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { parsePrefer, type Preference } from '../wire/prefer.ts';
import { inLanguageOf } from '../wire/chinese.ts';
import { failedTask, type Problem, statusOf, toProblem } from '../wire/problem.ts';
import { route, type Call, type RequestState, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import type { FollowedTask, TaskService, Upload } from '../services.ts';
import type { Slots } from '../access/slots.ts';
import { receiveForm, receiveRaw, type ReceivedFile } from '../upload/upload-body.ts';
import { taskPath, toTaskAccepted, toTaskRecord, type WireOptions } from '../wire/wire.ts';

export type InsertRouteOptions = {
  readonly settings: HttpSettings;
  readonly wire: WireOptions;
  readonly uploadSlots: Slots;
  readonly waitSlots: Slots;
  readonly idempotency: Idempotency;
  /** Keeps every other upload of this document that has a precondition from being accepted meanwhile, wherever; null when one is. */
  readonly holdDocument: (docId: string) => Promise<(() => Promise<void>) | null>;
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly acceptBody: (ctx: Context) => void;
};

const answers: Route['answers'] = {
  200: { description: 'The document is searchable.', json: schemas.insertedRecord },
  202: { description: 'The file is stored; follow its task.', json: schemas.taskAccepted },
};
const problems: readonly RequestErrorCode[] = [
  'bad_request',
  'not_found',
  'invalid_document',
  'unsupported_media_type',
  'request_timeout',
  'conflict',
  'body_too_large',
  'headers_too_large',
  'insufficient_storage',
];

export function insertRoutes(options: InsertRouteOptions): readonly Route[] {
  const limits = { ...options.settings.limits, fileBytesMax: options.settings.fileBytesMax };
  return [
    route({
      operation: 'insert',
      method: 'POST',
      path: '/insert',
      scope: 'write',
      tag: 'insert',
      summary: 'Upload a file as a form. Small files are answered when they are searchable (200), others immediately (202).',
      query: schemas.insertQuery,
      requestHeaders: schemas.insertHeaders,
      body: { kind: 'multipart' },
      asksForBody: true,
      hasVersions: true,
      answers,
      problems,
      handle: (call) =>
        insert(call, { collection: call.query.collection, docId: call.query.doc_id }, options, () =>
          receiveForm(call.ctx, call.services.uploads, {
            limits,
            address: call.query,
            accept: () => options.acceptBody(call.ctx),
          }),
        ),
    }),
    route({
      operation: 'putDocument',
      method: 'PUT',
      path: '/documents/{doc_id}',
      scope: 'write',
      tag: 'insert',
      summary: 'Upload a file as the raw body: the same responses as POST /insert, at about half the processor time.',
      params: schemas.documentParams,
      query: schemas.putQuery,
      requestHeaders: schemas.insertHeaders,
      body: { kind: 'file' },
      asksForBody: true,
      hasVersions: true,
      answers,
      problems,
      handle: (call) => {
        const filename = rawFilename(call.ctx, call.query.filename, call.params.doc_id);
        return insert(call, { collection: call.query.collection, docId: call.params.doc_id }, options, () =>
          receiveRaw(call.ctx, call.services.uploads, {
            limits,
            address: call.query,
            accept: () => options.acceptBody(call.ctx),
            filename,
          }),
        );
      },
    }),
  ];
}

type InsertCall = Pick<
  Call<unknown, unknown, unknown>,
  'ctx' | 'services' | 'principal' | 'requestId' | 'signal' | 'asker' | 'audit'
>;

async function insert(
  call: InsertCall,
  asked: { readonly collection: string | undefined; readonly docId: string },
  options: InsertRouteOptions,
  receive: () => Promise<ReceivedFile>,
): Promise<void> {
  const { ctx, principal } = call;
  ctx.vary('Prefer');
  const docId = scopedId({ collection: await askedCollection(call, asked.collection), docId: asked.docId });
  const entry = await options.idempotency.open(ctx.req.headers['idempotency-key'] as string | undefined, principal.keyId);
  // A repeated request is answered as it was, whatever has changed by it.
  if (entry === null) await requireVersion(call, docId, options.wire);
  const release = options.uploadSlots.take(callerOf(principal, (ctx.state as RequestState).address));
  try {
    if (release === null)
      throw new AppError('rate_limited', 'Too many uploads at once; try again in a moment.', { retryAfterSeconds: 5 });
    const file = await receive();
    release();
    await answer(call, docId, file, entry, options);
  } finally {
    release?.();
    await entry?.close();
  }
}

async function answer(
  call: InsertCall,
  docId: ScopedId,
  file: ReceivedFile,
  entry: IdempotencyEntry | null,
  options: InsertRouteOptions,
): Promise<void> {
  const { settings, wire, metrics, logger, waitSlots } = options;
  const { ctx, services } = call;
  const kept = await entry?.replay(fingerprint(file, docId)).catch(async (error: unknown) => {
    await file.receipt.discard();
    throw error;
  });
  if (kept != null) {
    await file.receipt.discard();
    ctx.set('Idempotency-Replayed', 'true');
    reply(ctx, kept);
    return;
  }
  const caller = callerOf(call.principal, (ctx.state as RequestState).address);
  const preference = parsePrefer(ctx.get('Prefer'));
  const waitMs = waitTime(preference, services.uploads.laneOf(file.receipt.bytes) === 'small' ? settings.syncWaitMs : 0);
  using end = endOf(services.tasks);
  const onId = waitMs === 0 ? {} : { onId: end.follow };
  const task = await submit(call, { ...file, docId, keyId: call.principal.keyId, caller, ...onId }, options);
  metrics.uploaded(task.fileBytes);
  const { id: taskId, filename, fileBytes, keyId } = task;
  const name = nameOf(task.docId);
  call.audit({ event: 'insert', ...name, taskId });
  logger.info(
    { requestId: call.requestId, taskId, ...name, docId: loggable(name.docId), filename: loggable(filename), fileBytes, keyId },
    'upload accepted',
  );
  const accepted: KeptReply = { status: 202, location: taskPath(task.id, wire), body: toTaskAccepted(task, wire) };
  // Kept before the wait: a client that loses its connection meanwhile and asks again finds the same task.
  await unlessTrouble(entry?.keep(accepted), logger);
  if (preference.applied !== null) ctx.set('Preference-Applied', preference.applied);
  const release = waitMs === 0 ? null : waitSlots.take(caller);
  const ended = release === null ? null : await unlessTrouble(end.wait(waitMs, call.signal).finally(release), logger);
  const outcome = ended !== null && isTerminal(ended.task.status) ? outcomeOf(ended, task, wire, ctx) : accepted;
  // What failed here may not fail again: whoever asks once more is shown to the task, and may retry it.
  if (outcome.status < 500) await unlessTrouble(entry?.keep(outcome), logger);
  reply(ctx, outcome);
}

/** The end of a task, followed from before it is there. */
function endOf(tasks: TaskService) {
  let followed: FollowedTask | null = null;
  return {
    follow: (id: TaskId): void => void (followed = tasks.follow(id)),
    wait: (waitMs: number, signal: AbortSignal) => followed?.ended(waitMs, signal) ?? Promise.resolve(null),
    [Symbol.dispose]: () => followed?.stop(),
  };
}

/** Accepts a file, if its document is as its client knows it; no other upload that asks for this comes in between. */
async function submit(call: InsertCall, upload: Upload, { wire, holdDocument }: InsertRouteOptions): Promise<Task> {
  const { ctx, services } = call;
  if (!hasPrecondition(ctx)) return services.uploads.submit(upload);
  const release = await holdDocument(await services.documents.keptDocId(upload.docId, call.asker));
  try {
    if (release === null)
      throw new AppError('conflict', 'Another upload of this document is in progress; try again when it has finished.', {
        retryAfterSeconds: 1,
      });
    await requireVersion(call, upload.docId, wire);
    return await services.uploads.submit(upload);
  } catch (error) {
    await upload.receipt.discard();
    throw error;
  } finally {
    await release?.();
  }
}

/** What is on its way will be a version that the client does not know. @throws AppError `precondition_failed`. */
async function requireVersion({ ctx, services, asker }: InsertCall, docId: ScopedId, wire: WireOptions): Promise<void> {
  if (!hasPrecondition(ctx)) return;
  const document = await services.documents.info(docId, asker);
  requireUnchanged(ctx, document === null ? null : validatorsOf(document, wire));
  const live = taskStatuses.filter((status) => !isTerminal(status));
  const kept = await services.documents.keptDocId(docId, asker);
  const pages = await Promise.all(live.map((status) => services.tasks.list({ docId: kept, status, limit: 1 })));
  if (pages.some(({ tasks }) => tasks.length > 0))
    throw new AppError('precondition_failed', 'Another upload of this document is in progress; try again when it has finished.');
}

/** The file is kept and its task waits, so the client is told so whatever becomes of the store now: another upload would be a second one. */
async function unlessTrouble<T>(work: Promise<T> | undefined, logger: Logger): Promise<T | null> {
  try {
    return (await work) ?? null;
  } catch (error) {
    if (troubleOf(error) === null) throw error;
    logger.warn({ err: error }, 'an upload was accepted, but its state could not be read');
    return null;
  }
}

/** RFC 7240 §4.1: with both preferences the client waits that long and then wants its 202. */
function waitTime({ respondAsync, waitSeconds }: Preference, ownMs: number): number {
  if (waitSeconds !== null) return waitSeconds * 1000;
  return respondAsync ? 0 : ownMs;
}

function outcomeOf(snapshot: TaskSnapshot, task: Task, wire: WireOptions, ctx: Context): KeptReply {
  const { status, result, error } = snapshot.task;
  if (status === 'completed') {
    const body = { ...toTaskRecord(snapshot, wire), message: result!.message, status_url: taskPath(task.id, wire) };
    return { status: 200, location: null, body };
  }
  const failed = failedTask(error, { task_id: task.id, error_code: error?.code ?? null, status_url: taskPath(task.id, wire) });
  const problem = toProblem(failed, { path: ctx.path, requestId: (ctx.state as RequestState).requestId });
  return { status: problem.status, location: null, body: problem };
}

/** A problem is kept in English: who repeats the request may read another language. */
function reply(ctx: Context, { status, location, body }: KeptReply): void {
  ctx.status = status;
  ctx.body = status >= 400 ? inLanguageOf(ctx, body as Problem) : body;
  if (status >= 400) ctx.set('Content-Type', 'application/problem+json');
  if (status === statusOf('unavailable')) ctx.set('Retry-After', '10');
  if (location === null) return;
  ctx.set('Location', location);
  ctx.set('Retry-After', '2');
}
