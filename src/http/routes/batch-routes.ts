/** POST /documents:batch: many small documents in one request, lines or the files of an archive, each answered by a line of its own as soon as it is durable. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'koa';
import { nameOf, scopedId } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { askedCollection } from '../access/asked-collection.ts';
import { callerOf } from '../access/access.ts';
import { createSlots, type Slots } from '../access/slots.ts';
import type { HttpSettings } from '../http-settings.ts';
import type { WholeUpload } from '../services.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { AnswerLines, keptAnswers } from '../upload/answer-lines.ts';
import { watchOf } from '../upload/body-watch.ts';
import { inChinese, prefersChinese } from '../wire/chinese.ts';
import { contentOf } from '../wire/content.ts';
import { toDescription } from '../wire/given.ts';
import { toProblem } from '../wire/problem.ts';
import * as schemas from '../wire/schemas.ts';
import { taskPath, type WireOptions } from '../wire/wire.ts';
import type { Task } from '../../tasks/task.ts';
import { type BatchDocument, type BatchItem, type BatchItems, itemBytesMax, itemsOfLines, itemsOfZip } from './batch-items.ts';
import { type Call, type RequestState, route, type Route } from './route.ts';

export type BatchRouteOptions = {
  readonly settings: HttpSettings;
  readonly wire: WireOptions;
  readonly uploadSlots: Slots;
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly acceptBody: (ctx: Context) => void;
};

/** A group of documents that are stored as one, since they share the flushes of the disk; while it is, the next one comes in. */
const group = { documents: 64, bytes: itemBytesMax };
/** How long one line waits for room in the queue. */
const roomMs = 60_000;
const lookMs = 200;

export function batchRoutes(options: BatchRouteOptions): readonly Route[] {
  const memory = createSlots(keptAnswers);
  return [
    route({
      operation: 'insertBatch',
      method: 'POST',
      path: '/documents:batch',
      scope: 'write',
      tag: 'insert',
      query: schemas.documentQuery,
      summary:
        'Upload many small documents: lines of NDJSON, or a ZIP archive, whose files become documents named by their paths in it. Each is answered by one line, in order, when it is stored.',
      body: { kind: 'lines', schema: schemas.batchLine, orFile: zip },
      asksForBody: true,
      answers: {
        200: {
          description: 'One line for each line sent, or for each file of the archive.',
          mediaType: ndjson,
          schema: schemas.batchAnswer,
        },
      },
      problems: ['bad_request', 'not_found', 'unsupported_media_type', 'request_timeout'],
      async handle(call) {
        insertBatch(call, await askedCollection(call, call.query.collection), { ...options, memory });
      },
    }),
  ];
}

const ndjson = 'application/x-ndjson';
const zip = 'application/zip';

/** By what the body says that it is. @throws AppError `unsupported_media_type`. */
function itemsOf(ctx: Context): BatchItems {
  if (ctx.is(ndjson, 'application/ndjson', 'application/jsonl') !== false) return itemsOfLines;
  if (ctx.is(zip, 'application/x-zip-compressed') !== false) return itemsOfZip;
  throw new AppError(
    'unsupported_media_type',
    'Send NDJSON, one JSON object per line, as application/x-ndjson, or a ZIP archive as application/zip.',
  );
}

type BatchCall = Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'requestId' | 'signal' | 'audit'>;

type BatchOptions = BatchRouteOptions & { readonly memory: Slots };

function insertBatch(call: BatchCall, collection: string, options: BatchOptions): void {
  const { ctx, principal } = call;
  const items = itemsOf(ctx);
  const content = contentOf(ctx);
  const caller = callerOf(principal, (ctx.state as RequestState).address);
  const release = options.uploadSlots.take(caller);
  if (release === null)
    throw new AppError('rate_limited', 'Too many uploads at once; try again in a moment.', { retryAfterSeconds: 5 });
  options.acceptBody(ctx);
  const watch = watchOf(ctx.req, options.settings.limits);
  watch.byRate({ givesWay: false });
  const answers = new AnswerLines(options.memory, caller);
  ctx.status = 200;
  ctx.set('Content-Type', ndjson);
  ctx.set('X-Accel-Buffering', 'no');
  ctx.vary('Accept-Language');
  ctx.body = answers.stream;
  answers.stream.once('close', () => answers.release());
  void new Batch(call, { caller, collection, answers }, options)
    .run((begins) => items(content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, begins), watch.failed)
    .catch((error: unknown) => answers.stream.destroy(error as Error))
    .finally(() => {
      watch.byTime();
      release();
    });
}

/** One request on its way. */
class Batch {
  readonly #call: BatchCall;
  readonly #caller: string;
  readonly #collection: string;
  readonly #options: BatchOptions;
  readonly #answers: AnswerLines;
  /** Read, but not being stored yet. */
  #waiting: BatchItem[] = [];
  #waitingBytes = 0;
  #storing: Promise<void> | null = null;
  /** Resolves when what waits is taken to be stored. */
  #taken = Promise.withResolvers<void>();
  #stored = 0;

  constructor(
    call: BatchCall,
    { caller, collection, answers }: { caller: string; collection: string; answers: AnswerLines },
    options: BatchOptions,
  ) {
    this.#call = call;
    this.#caller = caller;
    this.#collection = collection;
    this.#answers = answers;
    this.#options = options;
  }

  async run(itemsWith: (begins: (place: number) => void) => AsyncGenerator<BatchItem>, failed: Promise<never>): Promise<void> {
    let place = 1;
    const items = itemsWith((next) => (place = next));
    try {
      for (;;) {
        const { value: item, done } = await Promise.race([items.next(), failed]);
        if (done === true) break;
        this.#checkGoesOn();
        await this.#take(item);
      }
      await this.#storing;
    } catch (error) {
      await this.#storing;
      // What was read is answered; of the rest nothing was stored.
      await this.#answers.write(this.#refusal(place, null, error));
    }
    const { requestId, principal } = this.#call;
    this.#options.logger.info({ requestId, keyId: principal.keyId, documents: this.#stored }, 'batch accepted');
    this.#answers.end();
  }

  /** @throws AppError `unavailable`, or `unauthorized` when the key is no longer good. */
  #checkGoesOn(): void {
    const { signal } = this.#call;
    if (!signal.aborted) return;
    throw signal.reason instanceof AppError ? signal.reason : new AppError('unavailable', 'The server is stopping.');
  }

  /** Resolves when another may come. */
  async #take(item: BatchItem): Promise<void> {
    const isFull = (): boolean =>
      this.#waiting.length >= group.documents || (this.#waiting.length > 0 && this.#waitingBytes + item.bytes > group.bytes);
    while (isFull()) await this.#taken.promise;
    this.#waiting.push(item);
    this.#waitingBytes += item.bytes;
    this.#storing ??= this.#storeWaiting().finally(() => (this.#storing = null));
  }

  /** One group after the other, so that answers and versions keep the order of the lines. Never rejects. */
  async #storeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const items = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#taken.resolve();
      this.#taken = Promise.withResolvers<void>();
      await this.#storeGroup(items);
    }
  }

  async #storeGroup(items: readonly BatchItem[]): Promise<void> {
    const read = items.map(({ number, read }) => ({ number, ...read() }));
    const uploads = read.flatMap(({ document }) => (document === null ? [] : [this.#upload(document)]));
    const stored = (await this.#store(uploads)).values();
    for (const item of read) {
      const result = item.document === null ? null : stored.next().value!;
      const answer =
        result?.status === 'fulfilled'
          ? this.#accepted(item.number, result.value)
          : this.#refusal(item.number, item.docId, item.document === null ? item.refused : result!.reason);
      await this.#answers.write(answer);
    }
  }

  #upload({ doc_id: docId, filename, content, password, ...description }: BatchDocument): WholeUpload {
    return {
      content,
      docId: scopedId({ collection: this.#collection, docId }),
      filename,
      declaredMediaType: null,
      ...toDescription(description),
      ...(password === undefined ? {} : { password }),
      keyId: this.#call.principal.keyId,
      caller: this.#caller,
      callbackUrl: null,
    };
  }

  /** What finds the queue full waits for room, up to a bound. Never rejects. */
  async #store(uploads: readonly WholeUpload[]): Promise<PromiseSettledResult<Task>[]> {
    const { services, signal } = this.#call;
    const results: PromiseSettledResult<Task>[] = [];
    for (let rest = uploads, waitingSince = performance.now(); rest.length > 0;) {
      const stored = await services.uploads.submitAll(rest);
      const room = stored.findIndex(isForRoom);
      const settled = room < 0 ? stored.length : room;
      results.push(...stored.slice(0, settled));
      rest = rest.slice(settled);
      if (settled > 0) waitingSince = performance.now();
      if (rest.length > 0 && (performance.now() - waitingSince >= roomMs || signal.aborted))
        return [...results, ...stored.slice(settled)];
      if (rest.length > 0) await this.#pause();
    }
    return results;
  }

  #accepted(line: number, task: Task): object {
    this.#stored += 1;
    this.#call.audit({ event: 'insert', ...nameOf(task.docId), taskId: task.id });
    this.#options.metrics.uploaded(task.fileBytes);
    return {
      line,
      doc_id: nameOf(task.docId).docId,
      task_id: task.id,
      status: task.status,
      status_url: taskPath(task.id, this.#options.wire),
    };
  }

  /** Over at once when the client has gone: what the line waited for is then the end of it. */
  #pause(): Promise<void> {
    return pause(lookMs, undefined, { signal: this.#call.signal }).catch(() => undefined);
  }

  #refusal(line: number, docId: string | null, error: unknown): object {
    const { ctx, requestId } = this.#call;
    const english = toProblem(error, { path: ctx.path, requestId });
    const problem = prefersChinese(ctx.get('Accept-Language')) ? inChinese(english) : english;
    if (problem.code === 'internal') this.#options.logger.error({ err: error, requestId }, 'a line of a batch could not be stored');
    return { line, doc_id: docId, error: { status: problem.status, code: problem.code, detail: problem.detail } };
  }
}

function isForRoom(result: PromiseSettledResult<unknown>): boolean {
  return result.status === 'rejected' && result.reason instanceof AppError && result.reason.code === 'queue_full';
}
