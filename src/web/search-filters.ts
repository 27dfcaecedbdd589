/** What a search can be narrowed to, in words of the address: a kind of file, and how long ago it came. */

/** The kinds that most people have, each with the media type that the server gives to its files. */
export const fileKinds = [
  { name: 'pdf', mediaType: 'application/pdf' },
  { name: 'word', mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' },
  { name: 'excel', mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' },
  { name: 'powerpoint', mediaType: 'application/vnd.openxmlformats-officedocument.presentationml.presentation' },
  { name: 'web', mediaType: 'text/html' },
  { name: 'mail', mediaType: 'message/rfc822' },
  { name: 'markdown', mediaType: 'text/markdown' },
  { name: 'text', mediaType: 'text/plain' },
  { name: 'csv', mediaType: 'text/csv' },
] as const;

export type FileKind = (typeof fileKinds)[number]['name'];

export const agesInDays = [1, 7, 30, 365] as const;

const dayMs = 24 * 3600 * 1000;

/** Null for none that is known. */
export function mediaTypeOf(kind: string | null): string | null {
  return fileKinds.find(({ name }) => name === kind)?.mediaType ?? null;
}

/** ISO 8601, from midnight of the reader's day so many days ago, so that one question stays the same all day. */
export function after(age: string | null, now: Date = new Date()): string | null {
  const days = agesInDays.find((each) => String(each) === age);
  if (days === undefined) return null;
  const at = new Date(now.getTime() - days * dayMs);
  at.setHours(0, 0, 0, 0);
  return at.toISOString();
}
