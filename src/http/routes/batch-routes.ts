/** POST /documents:batch: many small documents in one request, each answered by a line of its own as soon as it is durable. */
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'koa';
import { nameOf, scopedId } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { askedCollection } from '../access/asked-collection.ts';
import { callerOf } from '../access/access.ts';
import { createSlots, type Slots } from '../access/slots.ts';
import type { HttpSettings } from '../http-settings.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { AnswerLines, keptAnswers } from '../upload/answer-lines.ts';
import { watchOf } from '../upload/body-watch.ts';
import { receiveBytes } from '../upload/bytes-upload.ts';
import { cleanFilename } from '../upload/content-disposition.ts';
import { type NdjsonLine, ndjsonLines } from '../upload/ndjson-lines.ts';
import { contentOf } from '../wire/content.ts';
import { readBody } from '../wire/input.ts';
import { toProblem } from '../wire/problem.ts';
import * as schemas from '../wire/schemas.ts';
import { parseStrictJson } from '../wire/strict-json.ts';
import { taskPath, type WireOptions } from '../wire/wire.ts';
import { type Call, type RequestState, route, type Route } from './route.ts';

export type BatchRouteOptions = {
  readonly settings: HttpSettings;
  readonly wire: WireOptions;
  readonly uploadSlots: Slots;
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly acceptBody: (ctx: Context) => void;
};

/** Of JSON; what is larger is no small document, and reading it would hold the others up. */
const lineBytesMax = 4 * 1024 * 1024;
const linesMax = 100_000;
/** Documents on their way to the disk at once, and their bytes: their flushes share the disk's time. */
const together = { documents: 16, bytes: 2 * lineBytesMax };
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
      summary: 'Upload many small documents as NDJSON. Each line is answered by a line, in order, when its document is stored.',
      body: { kind: 'lines', schema: schemas.batchLine },
      asksForBody: true,
      answers: { 200: { description: 'A line for each line.', mediaType: ndjson, schema: schemas.batchAnswer } },
      problems: ['bad_request', 'not_found', 'unsupported_media_type', 'request_timeout'],
      async handle(call) {
        insertBatch(call, await askedCollection(call, call.query.collection), { ...options, memory });
      },
    }),
  ];
}

const ndjson = 'application/x-ndjson';

type BatchCall = Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'requestId' | 'signal' | 'audit'>;

type BatchOptions = BatchRouteOptions & { readonly memory: Slots };

function insertBatch(call: BatchCall, collection: string, options: BatchOptions): void {
  const { ctx, principal } = call;
  if (ctx.is(ndjson, 'application/ndjson', 'application/jsonl') === false)
    throw new AppError('unsupported_media_type', 'Send NDJSON, one JSON object a line, as application/x-ndjson.');
  const content = contentOf(ctx);
  const caller = callerOf(principal, (ctx.state as RequestState).address);
  const release = options.uploadSlots.take(caller);
  if (release === null) throw new AppError('rate_limited', 'Too many uploads are coming in at once.', { retryAfterSeconds: 5 });
  options.acceptBody(ctx);
  const watch = watchOf(ctx.req, options.settings.limits);
  watch.byRate({ givesWay: false });
  const answers = new AnswerLines(options.memory, caller);
  ctx.status = 200;
  ctx.set('Content-Type', ndjson);
  ctx.set('X-Accel-Buffering', 'no');
  ctx.body = answers.stream;
  answers.stream.once('close', () => answers.release());
  void new Batch(call, { caller, collection }, options)
    .run(content, watch.failed, answers)
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
  /** By doc_id: the line before of the same document, so that the last one wins. */
  readonly #before = new Map<string, Promise<unknown>>();
  #bytes = 0;
  #stored = 0;

  constructor(call: BatchCall, { caller, collection }: { caller: string; collection: string }, options: BatchOptions) {
    this.#call = call;
    this.#caller = caller;
    this.#collection = collection;
    this.#options = options;
  }

  async run(content: Readable, failed: Promise<never>, answers: AnswerLines): Promise<void> {
    const lines = ndjsonLines(content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, lineBytesMax);
    /** The first of them is the next to be written: answers go out in order, each as soon as it and those before are there. */
    const onTheirWay: { readonly bytes: number; readonly written: Promise<void> }[] = [];
    let written = Promise.resolve();
    const take = (line: NdjsonLine): void => {
      const answer = this.#answer(line);
      written = written.then(async () => answers.write(await answer));
      onTheirWay.push({ bytes: line.bytes, written });
      this.#bytes += line.bytes;
    };
    const makeRoom = async (bytes: number): Promise<void> => {
      while (onTheirWay.length >= together.documents || (onTheirWay.length > 0 && this.#bytes + bytes > together.bytes)) {
        const first = onTheirWay.shift()!;
        await first.written;
        this.#bytes -= first.bytes;
      }
    };
    let number = 0;
    try {
      for (;;) {
        const { value: line, done } = await Promise.race([lines.next(), failed]);
        if (done === true) break;
        number = line.number;
        if (number > linesMax)
          throw new AppError('invalid_request', `One request takes ${linesMax} lines; send the rest in another.`);
        await makeRoom(line.bytes);
        take(line);
        if (this.#call.signal.aborted) throw new AppError('unavailable', 'The server is stopping.');
      }
      await written;
    } catch (error) {
      await written;
      // What was read is answered; of the rest nothing was stored.
      await answers.write(this.#refusal(number + 1, null, error));
    }
    const { requestId, principal } = this.#call;
    this.#options.logger.info({ requestId, keyId: principal.keyId, documents: this.#stored }, 'batch accepted');
    answers.end();
  }

  /** Never rejects. */
  async #answer(line: NdjsonLine): Promise<object> {
    let docId: string | null = null;
    try {
      const document = readLine(line);
      docId = document.doc_id;
      const before = this.#before.get(docId) ?? Promise.resolve();
      const stored = before.then(() => this.#store(document));
      const settled = stored.catch(() => {});
      this.#before.set(docId, settled);
      const task = await stored;
      if (this.#before.get(docId) === settled) this.#before.delete(docId);
      this.#stored += 1;
      this.#call.audit({ event: 'insert', ...nameOf(task.docId), taskId: task.id });
      this.#options.metrics.uploaded(task.fileBytes);
      return {
        line: line.number,
        doc_id: nameOf(task.docId).docId,
        task_id: task.id,
        status: task.status,
        status_url: taskPath(task.id, this.#options.wire),
      };
    } catch (error) {
      return this.#refusal(line.number, docId, error);
    }
  }

  async #store({ doc_id: docId, filename, text, file_base64, metadata, password }: schemas.BatchLine) {
    const { services, principal } = this.#call;
    const bytes = text === undefined ? Buffer.from(file_base64!, 'base64') : Buffer.from(text, 'utf8');
    const name = cleanFilename(filename ?? '') || namedAfter(docId, text !== undefined);
    for (const startedAt = performance.now(); ; await this.#pause()) {
      try {
        const receipt = await receiveBytes(services.uploads, bytes);
        return await services.uploads.submit({
          receipt,
          docId: scopedId({ collection: this.#collection, docId }),
          filename: name,
          declaredMediaType: null,
          ...(metadata === undefined ? {} : { metadata }),
          ...(password === undefined ? {} : { password }),
          keyId: principal.keyId,
          caller: this.#caller,
          callbackUrl: null,
        });
      } catch (error) {
        const isFull = error instanceof AppError && error.code === 'queue_full';
        if (!isFull || performance.now() - startedAt >= roomMs || this.#call.signal.aborted) throw error;
      }
    }
  }

  /** Over at once when the client has gone: what the line waited for is then the end of it. */
  #pause(): Promise<void> {
    return pause(lookMs, undefined, { signal: this.#call.signal }).catch(() => undefined);
  }

  #refusal(line: number, docId: string | null, error: unknown): object {
    const { ctx, requestId } = this.#call;
    const problem = toProblem(error, { path: ctx.path, requestId });
    if (problem.code === 'internal') this.#options.logger.error({ err: error, requestId }, 'a line of a batch could not be stored');
    return { line, doc_id: docId, error: { status: problem.status, code: problem.code, detail: problem.detail } };
  }
}

/** @throws AppError `body_too_large`, `bad_request`, `invalid_request`. */
function readLine({ text, problem }: NdjsonLine): schemas.BatchLine {
  if (problem === 'too_long')
    throw new AppError(
      'body_too_large',
      `The line is longer than ${lineBytesMax} bytes; send such a file to PUT /documents/{doc_id}.`,
    );
  if (problem === 'not_utf8') throw new AppError('bad_request', 'The line is not UTF-8, as JSON must be.');
  return readBody(schemas.batchLine, parseStrictJson(text!)) as schemas.BatchLine;
}

/** The last part of the doc_id; a text without an ending is plain text. */
function namedAfter(docId: string, isText: boolean): string {
  const name = cleanFilename(docId.split('/').at(-1)!) || 'file';
  return isText && !/\.[a-z0-9]{1,8}$/i.test(name) ? `${name}.txt` : name;
}
