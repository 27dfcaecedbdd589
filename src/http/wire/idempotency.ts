/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): an upload that is sent again gives the first answer.
 * The fingerprint is of what was meant (file, doc_id, metadata), not of the multipart bytes, whose boundary changes each time.
 */
import { createHash } from 'node:crypto';
import { givenOf } from '../../tasks/given.ts';
import { AppError } from '../../errors.ts';
import type { IdempotencyStore, KeptReply } from '../../storage/idempotency-store.ts';
import type { ReceivedFile } from '../upload/upload-body.ts';

/** One request with a key. */
export interface IdempotencyEntry {
  /**
   * The first answer to the same request; null when this is the first.
   * @throws AppError `invalid_request` when the key was used for another request.
   */
  replay(fingerprint: string): Promise<KeptReply | null>;
  /** Keeps the answer to this request; again when there is a better one. */
  keep(reply: KeptReply): Promise<void>;
  close(): Promise<void>;
}

export interface Idempotency {
  /**
   * Null without a key.
   * @throws AppError `bad_request` for a malformed key, `conflict` while a request with the same key is being answered,
   * by whichever process.
   */
  open(header: string | undefined, keyId: string | null): Promise<IdempotencyEntry | null>;
  /** Forgets answers older than 24 hours. */
  sweep(): Promise<void>;
}

const keptMs = 24 * 3600 * 1000;

export function createIdempotency(store: IdempotencyStore): Idempotency {
  return { open, sweep };

  async function open(header: string | undefined, keyId: string | null): Promise<IdempotencyEntry | null> {
    if (header === undefined) return null;
    // A key belongs to whoever uses it: another API key's is another key.
    const key = `${keyId ?? ''}\n${parseKey(header)}`;
    const close = await store.hold(key);
    if (close === null)
      throw new AppError('conflict', 'A request with this Idempotency-Key is still in progress; try again in a moment.', {
        retryAfterSeconds: 2,
      });
    let ownFingerprint = '';
    return { replay, keep, close };

    async function replay(fingerprint: string): Promise<KeptReply | null> {
      ownFingerprint = fingerprint;
      const kept = await store.get(key, keptMs);
      if (kept === null) return null;
      if (kept.fingerprint !== fingerprint)
        throw new AppError('invalid_request', 'This Idempotency-Key was used for another upload; use a new one.');
      return kept.reply;
    }

    async function keep(reply: KeptReply): Promise<void> {
      await store.put(key, { fingerprint: ownFingerprint, reply });
    }
  }

  async function sweep(): Promise<void> {
    await store.expire(keptMs);
  }
}

/** What a request means: the same file under the same doc_id with the same metadata. */
export function fingerprint(file: ReceivedFile, docId: string): string {
  // Of a password nothing is kept that could be tried against guesses.
  const { declaredMediaType, filename, callbackUrl, metadata, password: _password, ...others } = givenOf(file);
  // Bytes of another charset are another text; a type without one is left out, as it was before charsets were obeyed.
  const charset = declaredMediaType?.includes('charset=') === true ? [declaredMediaType] : [];
  const options = [
    ...charset,
    filename,
    callbackUrl,
    metadata == null ? null : Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
    // Answers were kept before these could be said: what was not said leaves no trace.
    ...(metadata === null ? ['metadata: null'] : []),
    ...Object.entries(others),
  ];
  const meant = JSON.stringify([file.receipt.sha256, docId.normalize('NFC'), ...options]);
  return createHash('sha256').update(meant).digest('hex');
}

/** A structured-field string (`"…"`) as the draft has it, or the bare text that most clients send. */
function parseKey(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new AppError('bad_request', 'An Idempotency-Key must have 1 to 255 printable ASCII characters.');
  return key;
}
