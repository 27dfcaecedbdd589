/** A text that may be very long, read from the server only as far as it is wanted. */

export interface LongText {
  /** What has been read so far. */
  readonly text: string;
  /** Nothing more to come. */
  readonly ended: boolean;
  /** Reads on until at least this many UTF-16 units are there, or the end. */
  readUpTo(units: number): Promise<void>;
}

export function createLongText(stream: ReadableStream<Uint8Array>): LongText {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const state = { text: '', ended: false };
  return {
    get text() {
      return state.text;
    },
    get ended() {
      return state.ended;
    },
    async readUpTo(units) {
      const pieces: string[] = [];
      let length = state.text.length;
      while (length < units && !state.ended) {
        const { done, value } = await reader.read();
        const piece = done ? decoder.decode() : decoder.decode(value, { stream: true });
        pieces.push(piece);
        length += piece.length;
        state.ended = done;
      }
      state.text += pieces.join('');
    },
  };
}

/** `[start, end)` widened to whole lines. */
export function wholeLines(text: string, start: number, end: number): readonly [number, number] {
  const before = text.lastIndexOf('\n', Math.max(0, start - 1));
  const after = text.indexOf('\n', Math.min(text.length, end));
  return [start <= 0 ? 0 : before + 1, after === -1 ? text.length : after];
}
