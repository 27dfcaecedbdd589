/**
 * Takes the file out of a request: as a multipart form through koa-body, or as a raw body. Bytes go straight into a receipt
 * (the store's own place on disk); whatever goes wrong, the receipt is discarded and nothing is left behind.
 */
import { isUtf8 } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { type Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { callbackify } from 'node:util';
import type { Context } from 'koa';
import { koaBody } from 'koa-body';
import type { IncomingReceipt, Receipt } from '../../storage/file-store.ts';
import { AppError } from '../../errors.ts';
import { type Given, passwordCharactersMax } from '../../tasks/given.ts';
import { watchOf, type BodyLimits } from './body-watch.ts';
import { loggable } from '../log-text.ts';
import { contentOf, isEncoded } from '../wire/content.ts';
import { createMultipartParser, multipartBoundary, type PartHead } from './multipart-parser.ts';
import { unknownName } from '../wire/nearest-name.ts';
import type { UploadService } from '../services.ts';
import { givenFields, type GivenFields, toDescription } from '../wire/given.ts';
import { parseStrictJson } from '../wire/strict-json.ts';
import { whatItMustBe } from '../wire/value-words.ts';

/** A file that has arrived completely; whoever takes it keeps or discards its receipt. */
export type ReceivedFile = Given & { readonly receipt: Receipt };
/** `others`: the fields that the route asked for. */
export type ReceivedForm = ReceivedFile & { readonly others: ReadonlyMap<string, string> };

export type UploadLimits = BodyLimits & {
  readonly fileBytesMax: number;
};

const howToSend =
  'Send the file as multipart/form-data in a part named `file` (curl -F file=@report.pdf), or as the body itself to PUT /documents/{doc_id} (curl -T report.pdf); send text as a file, too.';
const fieldBytesMax = 64 * 1024;
/** What a multipart body may hold beside its file: a Content-Length past the limit by more than this means a file that is too large. */
const overheadBytesMax = 256 * 1024;
/** formidable's own codes for "larger than maxFileSize" and "larger than maxTotalFileSize". */
const tooLargeCodes = [1009, 1016];

/** How an upload is read. */
type Reading = {
  readonly limits: UploadLimits;
  /** What its address gives. */
  readonly address: GivenFields;
  /** Called when the body is wanted (100 Continue). */
  readonly accept: () => void;
};

/** What a form may hold. */
export type FormShape = {
  /** The part that is the file. */
  readonly file: string;
  /** What is said of a document, by its name. */
  readonly given: readonly (keyof GivenFields)[];
  /** Fields of the route's own, as text. */
  readonly others: (name: string) => boolean;
};

const formOfInsert: FormShape = { file: 'file', given: Object.keys(givenFields) as (keyof GivenFields)[], others: () => false };
/** Of fields that are not the file. */
const fieldsMax = 64;

/**
 * Reads a form with one part named `file`.
 * @throws AppError `unsupported_media_type`, `bad_request`, `invalid_request` (no or two file parts), `invalid_document`
 * (too large), `request_timeout` (too slow), and what `receive` throws.
 */
export async function receiveForm(
  ctx: Context,
  uploads: Pick<UploadService, 'receive'>,
  { limits, address, accept, shape = formOfInsert }: Reading & { readonly shape?: FormShape },
): Promise<ReceivedForm> {
  if (!ctx.is('multipart/form-data')) throw new AppError('unsupported_media_type', howToSend);
  const boundary = multipartBoundary(ctx.get('Content-Type'));
  const content = contentOf(ctx);
  const receipt = await uploads.receive({ bytesMax: limits.fileBytesMax, bytesExpected: contentLength(ctx) });
  const form: Form = { file: null, fields: {}, password: null, others: new Map() };
  hearErrors(receipt);
  const watch = watchOf(ctx.req, limits);
  try {
    form.password = headerPassword(ctx);
    accept();
    watch.byRate({ givesWay: false });
    await Promise.race([
      formReader(boundary, receipt, form, { ...limits, shape })(reading(ctx, content), nothingNext),
      watch.failed,
    ]);
    if (form.file === null)
      throw new AppError('invalid_request', `The form has no part named \`${shape.file}\` with a file in it. ${howToSend}`);
    const twice = fieldNames.find((name) => form.fields[name] !== undefined && address[name] !== undefined);
    if (twice !== undefined) throw givenTwice(twice);
    // formidable ends a form even when its sink failed to flush.
    await finished(receipt.stream);
    return {
      receipt,
      ...form.file,
      ...toGiven({ ...address, ...form.fields }),
      ...passwordOf(form.password),
      others: form.others,
    };
  } catch (error) {
    await receipt.discard();
    throw uploadError(error, form);
  } finally {
    watch.byTime();
  }
}

/**
 * Reads the whole body as one file.
 * @throws AppError `invalid_document` (too large), `request_timeout` (too slow), and what `receive` throws.
 */
export async function receiveRaw(
  ctx: Context,
  uploads: Pick<UploadService, 'receive'>,
  { limits, address, accept, filename }: Reading & { readonly filename: string },
): Promise<ReceivedFile> {
  if (ctx.is('multipart/*') !== false && ctx.is('multipart/*') !== null)
    throw new AppError('unsupported_media_type', 'Send the file itself as the body; multipart forms go to POST /insert.');
  const content = contentOf(ctx);
  const expected = contentLength(ctx);
  if (expected !== null && expected > limits.fileBytesMax) throw tooLarge(filename);
  const password = passwordOf(headerPassword(ctx));
  const receipt = await uploads.receive({ bytesMax: limits.fileBytesMax, bytesExpected: expected });
  hearErrors(receipt);
  const watch = watchOf(ctx.req, limits);
  try {
    accept();
    watch.byRate({ givesWay: false });
    await Promise.race([pipeline(limited(content, limits.fileBytesMax, filename), receipt.stream), watch.failed]);
    return { receipt, filename, declaredMediaType: mediaType(ctx.get('Content-Type')), ...toGiven(address), ...password };
  } catch (error) {
    await receipt.discard();
    throw error;
  } finally {
    watch.byTime();
  }
}

type Form = {
  file: Pick<Given, 'filename' | 'declaredMediaType'> | null;
  fields: GivenFields;
  password: string | null;
  readonly others: Map<string, string>;
};

/** The header that opens a protected file, for bodies that have no fields. */
const passwordHeader = 'X-Document-Password';

/** In UTF-8, as every client sends what it is given; null when there is none. @throws AppError `invalid_request`. */
function headerPassword(ctx: Context): string | null {
  const value = ctx.get(passwordHeader);
  if (value === '') return null;
  const bytes = Buffer.from(value, 'latin1');
  return checkedPassword(isUtf8(bytes) ? bytes.toString('utf8') : value, passwordHeader);
}

/** The sentence says nothing of what was given. */
function checkedPassword(text: string, from: string): string {
  if (text.length > passwordCharactersMax)
    throw new AppError('invalid_request', `${from}: a password may have at most ${passwordCharactersMax} characters`);
  return text;
}

function passwordOf(password: string | null): { readonly password?: string } {
  return password === null || password === '' ? {} : { password };
}

const fieldNames = Object.keys(givenFields) as (keyof GivenFields)[];

/** What is not in the fields is not given. */
function toGiven({ callback_url, ...description }: GivenFields): Omit<Given, 'filename' | 'declaredMediaType'> {
  return { callbackUrl: callback_url ?? null, ...toDescription(description) };
}

async function nothingNext(): Promise<void> {}

/** The context as koa-body reads it: with the content in place of the request. */
function reading(ctx: Context, content: Readable): Context {
  if (content === ctx.req) return ctx;
  const { 'content-length': _, ...headers } = ctx.req.headers;
  const request = Object.assign(content, { headers: { ...headers, 'transfer-encoding': 'chunked' } });
  return Object.create(ctx, { req: { value: request } }) as Context;
}

type FormLimits = UploadLimits & { readonly shape: FormShape };

/** koa-body with our own parser and our own sink in it. */
function formReader(boundary: string, receipt: IncomingReceipt, form: Form, limits: FormLimits): ReturnType<typeof koaBody> {
  return koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    formidable: {
      enabledPlugins: [(formidable) => installParser(formidable as unknown as FormidablePluginHost, boundary, form, limits)],
      allowEmptyFiles: true,
      minFileSize: 0,
      maxFiles: 1,
      maxFileSize: limits.fileBytesMax,
      maxTotalFileSize: limits.fileBytesMax,
      fileWriteStreamHandler: () => receipt.stream,
    },
  });
}

/** The part of formidable that its plugins work with; its published types leave it out. */
type FormidablePluginHost = {
  type: string;
  ended: boolean;
  bytesExpected: number | null;
  _parser: Writable;
  _maybeEnd(): void;
  onPart(part: EventEmitter): Promise<void>;
};

function installParser(host: FormidablePluginHost, boundary: string, form: Form, limits: FormLimits): void {
  const { shape } = limits;
  let onData: (bytes: Buffer) => void;
  let onEnd: () => void;
  const parser = createMultipartParser(boundary, {
    part: async (head) => {
      if (head.filename === null) return openField(head);
      await openFile(head);
    },
    data: (bytes) => onData(bytes),
    partEnd: () => onEnd(),
  });
  host.type = 'multipart';
  host._parser = new Writable({
    write: (chunk: Buffer, _encoding, done) => callbackify(() => parser.write(chunk))(done),
    final: (done) => callbackify(finish)(done),
  });

  async function finish(): Promise<void> {
    parser.end();
    host.ended = true;
    host._maybeEnd();
  }

  /** Hands the part to formidable, which opens the sink, counts its bytes and holds the request back while it writes. */
  async function openFile(head: PartHead): Promise<void> {
    if (form.file !== null)
      throw new AppError('invalid_request', `Send exactly one file, in a part named \`${shape.file}\`; this form has more.`);
    if (head.name !== shape.file)
      throw new AppError(
        'invalid_request',
        `Send the file in a part named \`${shape.file}\`, not \`${loggable(head.name ?? '')}\`.`,
      );
    form.file = { filename: head.filename || 'file', declaredMediaType: mediaType(head.contentType ?? '') };
    if ((host.bytesExpected ?? 0) > limits.fileBytesMax + overheadBytesMax) throw tooLarge(form.file.filename);
    const part = Object.assign(new EventEmitter(), {
      name: 'file',
      originalFilename: form.file.filename,
      mimetype: 'application/octet-stream',
    });
    onData = (bytes) => part.emit('data', bytes);
    onEnd = () => part.emit('end');
    await host.onPart(part);
  }

  function openField(head: PartHead): void {
    const name = head.name ?? '';
    const isPassword = name === 'password' && !shape.others(name);
    const given = isPassword || shape.others(name) ? null : knownField(name, shape);
    if ((isPassword && form.password !== null) || form.others.has(name) || (given !== null && form.fields[given] !== undefined))
      throw givenTwice(name);
    if (form.others.size >= fieldsMax) throw new AppError('invalid_request', `The form has more than ${fieldsMax} fields.`);
    const pieces: Buffer[] = [];
    let bytes = 0;
    onData = (piece) => {
      bytes += piece.length;
      if (bytes > fieldBytesMax) throw new AppError('body_too_large', `A field of the form is larger than ${fieldBytesMax} bytes.`);
      pieces.push(piece);
    };
    onEnd = () => {
      const text = utf8Text(Buffer.concat(pieces), name);
      if (isPassword) form.password = checkedPassword(text, 'password');
      else if (given === null) form.others.set(name, text);
      else form.fields = { ...form.fields, [given]: fieldValue(given, text) };
    };
  }
}

function knownField(name: string, { file, given }: FormShape): keyof GivenFields {
  const known = given.find((one) => one === name);
  if (known !== undefined) return known;
  if (name === file && file === 'file')
    throw new AppError('invalid_request', `The part \`file\` has no file name, so it is not a file. ${howToSend}`);
  if (name === 'doc_id')
    throw new AppError(
      'invalid_request',
      'Unknown form field `doc_id`: put it into the address, as in POST /insert?doc_id=handbook.',
    );
  throw new AppError('invalid_request', unknownName('form field', name, [file, ...given, 'password']));
}

function givenTwice(name: string): AppError {
  return new AppError('invalid_request', `${name}: is given more than once`);
}

function utf8Text(bytes: Buffer, field: string): string {
  if (!isUtf8(bytes)) throw new AppError('bad_request', `The form field ${field} is not UTF-8.`);
  return bytes.toString('utf8');
}

/** A sink may fail before anybody writes to it, or after it was given up; unheard, that would end the process. */
function hearErrors({ stream }: IncomingReceipt): void {
  stream.on('error', () => {});
}

function fieldValue(name: keyof GivenFields, text: string): unknown {
  // What is no JSON is malformed (400), as a body would be; what is no metadata is refused.
  if (name === 'metadata') parseStrictJson(text);
  const parsed = givenFields[name].safeParse(text, { error: whatItMustBe });
  if (!parsed.success) throw new AppError('invalid_request', `${name}: ${parsed.error.issues[0]!.message}`);
  return parsed.data;
}

/** The content's bytes up to a limit. The request is not destroyed when the limit is met: its answer still has to be sent. */
async function* limited(content: Readable, bytesMax: number, filename: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of content.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) throw tooLarge(filename);
    yield chunk as Buffer;
  }
}

function uploadError(error: unknown, form: Form): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (tooLargeCodes.includes(code as number)) return tooLarge(form.file?.filename ?? 'file');
  if (typeof code === 'number')
    return new AppError('bad_request', 'The upload was interrupted, or is malformed.', { cause: error });
  return error;
}

function tooLarge(filename: string): AppError {
  return new AppError('invalid_document', `Invalid document: File too large: ${filename}`);
}

/** Of the file as it will be; null when nobody said. */
function contentLength(ctx: Context): number | null {
  const length = ctx.get('Content-Length');
  return length === '' || isEncoded(ctx) ? null : Number(length);
}

/** `type/subtype` in lower case, with the charset if there is one; null when the client said nothing useful. */
function mediaType(header: string): string | null {
  const type = header.split(';')[0]!.trim().toLowerCase();
  if (!/^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(type)) return null;
  const [, charset] = /;\s*charset\s*=\s*"?([\w.:+-]{1,40})"?\s*(?:;|$)/i.exec(header) ?? [];
  if (charset !== undefined) return `${type}; charset=${charset.toLowerCase()}`;
  return type === 'application/octet-stream' ? null : type;
}
