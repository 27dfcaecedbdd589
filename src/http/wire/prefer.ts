/** RFC 7240: what a client prefers about waiting. */

export type Preference = {
  readonly respondAsync: boolean;
  /** Seconds, already capped; null when it did not say. */
  readonly waitSeconds: number | null;
  /** The `Preference-Applied` header; null when nothing was asked for that is known here. */
  readonly applied: string | null;
};

const waitSecondsMax = 60;

/** Reads a `Prefer` header; what is not understood is ignored, as the RFC wants. Of a repeated preference the first counts. */
export function parsePrefer(header: string | undefined): Preference {
  const preferences = (header ?? '')
    .split(',')
    .map((item) => item.split(';')[0]!.trim().toLowerCase())
    .filter((item) => item !== '');
  const respondAsync = preferences.includes('respond-async');
  const given = preferences.map((item) => /^wait *= *"?(\d{1,9})"?$/.exec(item)?.[1]).find((value) => value !== undefined);
  const waitSeconds = given === undefined ? null : Math.min(Number(given), waitSecondsMax);
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(waitSeconds === null ? [] : [`wait=${waitSeconds}`])];
  return { respondAsync, waitSeconds, applied: applied.length === 0 ? null : applied.join(', ') };
}
