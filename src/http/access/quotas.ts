/** What a key may use of this server in a day (UTC): requests, documents, bytes. The setting KEY_QUOTAS; counted by `storage/quota-counts.ts`. */
import { AppError } from '../../errors.ts';
import { type Amounts, type QuotaCounts, type QuotaKind, quotaKinds } from '../../storage/quota-counts.ts';

/** Of one key or person (`user:alice`), or of each that is not named (`*`). */
export type QuotaRule = { readonly key: string; readonly limits: Partial<Amounts> };

const expected =
  'entries like laptop:documents=1000+bytes=5G+requests=20000, user:alice@example.com:bytes=1G or *:requests=100000 for every other key';
const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** @throws Error with what was expected; each key once. */
export function parseQuotas(text: string): readonly QuotaRule[] {
  const entries = text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const rules = entries.map(parseRule);
  if (new Set(rules.map(({ key }) => key)).size < rules.length) throw new Error(`each key once: ${expected}`);
  return rules;
}

function parseRule(entry: string): QuotaRule {
  const at = entry.lastIndexOf(':');
  const limits = entry
    .slice(at + 1)
    .split('+')
    .map((limit) => /^(requests|documents|bytes)=(\d{1,12})([KMG]?)$/.exec(limit));
  if (at < 1 || limits.some((limit) => limit === null)) throw new Error(expected);
  const amounts = limits.map((limit) => [limit![1]!, Number(limit![2]) * units[limit![3]!]!] as const);
  return { key: entry.slice(0, at), limits: Object.fromEntries(amounts) };
}

export interface Quotas {
  /** @throws AppError `quota_exceeded` when this request is one too many; `unavailable` when it cannot be counted. */
  request(key: string | null): void;
  /** @throws as `request`, before the document is taken. */
  document(key: string | null, bytes: number): void;
}

/** Nothing is counted for a key without a quota, nor where no keys are in use. */
export function createQuotas(rules: readonly QuotaRule[], counts: QuotaCounts, now: () => string): Quotas {
  const others = rules.find(({ key }) => key === '*');

  function use(key: string | null, amounts: Amounts): void {
    const limits = key === null ? undefined : (rules.find((rule) => rule.key === key) ?? others)?.limits;
    if (limits === undefined || quotaKinds.every((kind) => amounts[kind] === 0 || limits[kind] === undefined)) return;
    const at = now();
    const tooMuch = counted(() => counts.add(at.slice(0, 10), key!, amounts, { ...unlimited, ...limits }));
    if (tooMuch !== null) throw exceeded(tooMuch, limits[tooMuch]!, at);
  }

  return {
    request: (key) => use(key, { requests: 1, documents: 0, bytes: 0 }),
    document: (key, bytes) => use(key, { requests: 0, documents: 1, bytes }),
  };
}

const unlimited: Amounts = {
  requests: Number.MAX_SAFE_INTEGER,
  documents: Number.MAX_SAFE_INTEGER,
  bytes: Number.MAX_SAFE_INTEGER,
};

/** What cannot be counted is not allowed: a full disk must not lift the limits. */
function counted<T>(count: () => T): T {
  try {
    return count();
  } catch (error) {
    throw new AppError('unavailable', 'The quota of this key cannot be checked at the moment; try again later.', { cause: error });
  }
}

function exceeded(kind: QuotaKind, limit: number, at: string): AppError {
  const midnight = Date.parse(at.slice(0, 10)) + 86_400_000;
  return new AppError(
    'quota_exceeded',
    `The quota of this key is used up for today: ${limit} ${kind} per day. It resets at 00:00 UTC.`,
    {
      retryAfterSeconds: Math.ceil((midnight - Date.parse(at)) / 1000),
      extensions: { quota: { kind, limit, resets_at: new Date(midnight).toISOString() } },
    },
  );
}
