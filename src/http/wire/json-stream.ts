/** JSON with a long text in it, written as the text is read: neither it nor its JSON is ever whole in memory, and nobody waits while it is made. */
import { Readable } from 'node:stream';

/** A text (UTF-8) that is opened when its turn comes. */
export type LongText = () => AsyncIterable<Buffer | string>;

/** The JSON of `shape`, which is small, but for the texts: each is a function in it, and becomes a string. They are read in their order, one at a time. */
export function jsonStream(shape: object): Readable {
  return Readable.from(written(shape), { objectMode: false });
}

async function* written(value: unknown): AsyncGenerator<string> {
  if (typeof value === 'function') yield* stringOf((value as LongText)());
  else if (!hasTexts(value)) yield JSON.stringify(value);
  else if (Array.isArray(value))
    yield* listed(
      '[',
      value.map((item: unknown) => ['', item]),
      ']',
    );
  else
    yield* listed(
      '{',
      Object.entries(value).map(([name, item]) => [`${JSON.stringify(name)}:`, item]),
      '}',
    );
}

async function* listed(start: string, items: readonly (readonly [string, unknown])[], end: string): AsyncGenerator<string> {
  yield start;
  for (const [at, [name, item]] of items.entries()) {
    yield at === 0 ? name : `,${name}`;
    yield* written(item);
  }
  yield end;
}

function hasTexts(value: unknown): value is object {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasTexts);
}

async function* stringOf(text: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  yield '"';
  for await (const piece of decoded(text)) yield JSON.stringify(piece).slice(1, -1);
  yield '"';
}

/** Characters that two pieces share come with the second. */
async function* decoded(text: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const piece of text) yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  yield decoder.decode();
}

/** Parts of one text (UTF-8) by their UTF-16 offsets, in order and not overlapping: to be read one after the other, each to its end. */
export function cutTexts(text: LongText, spans: readonly { readonly start: number; readonly end: number }[]): LongText[] {
  let source: AsyncGenerator<string> | null = null;
  let held = '';
  let heldAt = 0;

  /** What is held from `start` on; false when the text has ended. */
  async function hold(start: number): Promise<boolean> {
    while (heldAt + held.length <= start) {
      heldAt += held.length;
      source ??= decoded(text());
      const { value, done } = await source.next();
      if (done === true) return false;
      held = value;
    }
    held = held.slice(start - heldAt);
    heldAt = start;
    return true;
  }

  async function* part(start: number, end: number): AsyncGenerator<string> {
    for (let at = start; at < end && (await hold(at)); at = heldAt + held.length) {
      const piece = held.slice(0, end - at);
      yield piece;
      if (piece.length < held.length) return;
    }
  }

  return spans.map(
    ({ start, end }) =>
      () =>
        part(start, end),
  );
}
