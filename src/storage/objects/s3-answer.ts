/** What an object store says when it does not do what it was asked: one sentence that names the cause and, where there is one, the setting. */
import { StoreFault } from './object-store.ts';

/** Answers after which the same may succeed at once. */
const passingStatuses = new Set([307, 408, 429, 500, 502, 503, 504]);
/** Codes after which the same may succeed, whatever the status: the store's own trouble, or what arrived was not what was sent. */
const passingCodes = new Set(
  'InternalError ServiceUnavailable SlowDown OperationAborted BadDigest XAmzContentSHA256Mismatch IncompleteBody RequestTimeout'.split(
    ' ',
  ),
);
/** More of an answer that is no object is not looked at. */
const answerBytesMax = 8 * 1024 * 1024;

type Cause = { readonly says: string; readonly isLasting: boolean };

const lasting = (says: string): Cause => ({ says, isLasting: true });
const passing = (says: string): Cause => ({ says, isLasting: false });
const otherRegion = 'the bucket is in another region or at another endpoint than FILES_URL says';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const causes: Readonly<Record<string, Cause>> = {
  SignatureDoesNotMatch: lasting('AWS_SECRET_ACCESS_KEY is not the one of AWS_ACCESS_KEY_ID, or a proxy changes what is asked'),
  InvalidAccessKeyId: lasting('AWS_ACCESS_KEY_ID is not known there'),
  AccessDenied: lasting('AWS_ACCESS_KEY_ID may not do that; it has to get, put, delete and list objects'),
  AccountProblem: lasting('the account of AWS_ACCESS_KEY_ID cannot be used'),
  InvalidToken: lasting('AWS_SESSION_TOKEN is not valid there'),
  ExpiredToken: lasting('AWS_SESSION_TOKEN has expired'),
  NoSuchBucket: lasting('there is no bucket as FILES_URL names it'),
  InvalidBucketName: lasting('there is no bucket as FILES_URL names it'),
  PermanentRedirect: lasting(otherRegion),
  TemporaryRedirect: passing(otherRegion),
  AuthorizationHeaderMalformed: lasting(otherRegion),
  IllegalLocationConstraintException: lasting(otherRegion),
  RequestTimeTooSkewed: passing('the clock of this machine is wrong'),
  SlowDown: passing('it asks for fewer requests'),
};

/** A status and a code; never what the store says of keys. */
export class StoreAnswer extends StoreFault {
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number;

  constructor({ status, headers }: Response, text: string) {
    const code = codeOf(text) || (status === 301 ? 'PermanentRedirect' : '');
    const cause = causes[code];
    const said = `the object store answered ${status}${code === '' ? '' : ` ${code}`}`;
    const detail = cause === undefined ? '' : `: ${cause.says}${regionOf(cause, headers, text)}`;
    super(`${said}${detail}`, { isLasting: cause?.isLasting ?? false });
    this.status = status;
    this.code = code;
    this.retryAfterMs = 1000 * (Number(headers.get('retry-after')) || 0);
  }

  /** Whether the same may succeed when it is asked again. */
  get mayPass(): boolean {
    return passingCodes.has(this.code) || (passingStatuses.has(this.status) && !this.isLasting);
  }

  get isFull(): boolean {
    return this.status === 507 || /Quota|StorageFull|NoSpace/.test(this.code);
  }
}

/** What answers is no object store: a proxy, or a page that everybody is led to. */
export class StrangeAnswer extends StoreFault {
  constructor({ status }: Response) {
    super(`what answers at FILES_URL with ${status} is no object store, or something between changes its answers`);
  }
}

/** Of an answer that is no object. @throws Error when it is longer than such answers are, or breaks. */
export async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > answerBytesMax) throw new StrangeAnswer(response);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export function codeOf(answer: string): string {
  return /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(answer)?.[1] ?? '';
}

function regionOf({ says }: Cause, headers: Headers, text: string): string {
  const region = headers.get('x-amz-bucket-region') ?? /<Region>([^<]*)<\/Region>/.exec(text)?.[1] ?? '';
  return says === otherRegion && /^[a-z0-9-]{1,40}$/.test(region) ? ` (region=${region})` : '';
}
