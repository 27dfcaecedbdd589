/** A file that comes in to be read and is not kept: the same forms, bodies, limits and times as of an upload. */
import { finished } from 'node:stream';
import type { Context } from 'koa';
import { AppError, DocumentError } from '../../errors.ts';
import { callerOf } from '../access/access.ts';
import type { Slots } from '../access/slots.ts';
import type { HttpSettings } from '../http-settings.ts';
import type { Call, RequestState } from '../routes/route.ts';
import type { FileReading, UploadService } from '../services.ts';
import { failedTask } from '../wire/problem.ts';
import { receiveForm, receiveRaw, type ReceivedFile } from './upload-body.ts';

export type PassingOptions = {
  readonly settings: HttpSettings;
  readonly uploadSlots: Slots;
  readonly acceptBody: (ctx: Context) => void;
};

export type PassingFile = Awaited<ReturnType<FileReading['read']>> & {
  readonly filename: string;
  readonly bytes: number;
};

/** `fileField`: the part of a form that is the file; `filename`: of a raw body. */
export type PassingShape = {
  readonly filename: string;
  readonly fileField?: string;
  readonly otherFields?: (name: string) => boolean;
  /** Whether the text without marks is wanted. Absent: no. */
  readonly withPlainText?: boolean;
};

/**
 * Receives and reads it; what it leaves lies there until the answer has been sent.
 * @throws AppError as an upload does, `invalid_document` with the `error_code` of the document, `rate_limited`, `unavailable`.
 */
export async function readPassingFile(
  { ctx, services, principal, signal }: Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'signal'>,
  { settings, uploadSlots, acceptBody }: PassingOptions,
  shape: PassingShape,
): Promise<PassingFile> {
  const caller = callerOf(principal, (ctx.state as RequestState).address);
  const release = uploadSlots.take(caller);
  if (release === null)
    throw new AppError('rate_limited', 'Too many uploads at once; try again in a moment.', { retryAfterSeconds: 5 });
  let reading: FileReading | null = null;
  const uploads: Pick<UploadService, 'receive'> = { receive: async () => (reading = await services.reading.open()) };
  // Held until the answer has gone out: what was read lies on the disk meanwhile.
  finished(ctx.res, () => {
    release();
    void reading?.discard();
  });
  const limits = { ...settings.limits, fileBytesMax: settings.fileBytesMax };
  const receiving = { limits, address: {}, accept: () => acceptBody(ctx) };
  const isForm = ctx.is('multipart/*') !== false && ctx.is('multipart/*') !== null;
  const { filename, declaredMediaType, password, receipt }: ReceivedFile = isForm
    ? await receiveForm(ctx, uploads, {
        ...receiving,
        shape: { file: shape.fileField ?? 'file', given: [], others: shape.otherFields ?? (() => false) },
      })
    : await receiveRaw(ctx, uploads, { ...receiving, filename: shape.filename });
  if (receipt.bytes === 0) throw new AppError('invalid_document', `Invalid document: Empty file: ${filename}`);
  try {
    const read = await reading!.read({
      filename,
      declaredMediaType,
      ...(password === undefined ? {} : { password }),
      caller,
      withPlainText: shape.withPlainText ?? false,
      signal,
    });
    return { filename, bytes: receipt.bytes, ...read };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw failedTask({ code: error.code, message: error.message, retryable: error.retryable }, { error_code: error.code });
  }
}
