/**
 * Server-sent events over fetch. Not EventSource: that one gives up for good on any HTTP error (a proxy's 502 while the server
 * restarts), waits its own three seconds, and cannot tell a 401 from a dead line. The format is the one of the HTML standard.
 */

export type StreamEvent = { readonly event: string; readonly data: string; readonly id: string | null };

export type StreamOptions = {
  readonly path: string;
  /** The last id seen, to go on from there; null: from the start. */
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  /** The line is open; called before the first event. */
  readonly onOpen: () => void;
  readonly onEvent: (event: StreamEvent) => void;
  /** A line that is silent for so long is dead: the server sends a comment every 15 s. */
  readonly silenceMs: number;
};

/** Thrown where there is an answer and it is no event stream. */
export class StreamRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`No event stream: HTTP ${status}`);
    this.name = 'StreamRefused';
    this.status = status;
  }
}

/** Reads until the line ends (then returns) or breaks (then throws). @throws StreamRefused */
export async function readEventStream(options: StreamOptions): Promise<void> {
  const silence = new AbortController();
  const signal = AbortSignal.any([options.signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), options.silenceMs);
  try {
    const response = await fetch(options.path, {
      headers: {
        accept: 'text/event-stream',
        ...(options.lastEventId === null ? {} : { 'last-event-id': options.lastEventId }),
      },
      credentials: 'same-origin',
      cache: 'no-store',
      signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!response.ok || !isStream || response.body === null) throw new StreamRefused(response.status);
    options.onOpen();
    const parser = createEventParser(options.onEvent);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), options.silenceMs);
      parser(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Takes the stream piece by piece, however it is cut, and calls `onEvent` for each whole event. */
export function createEventParser(onEvent: (event: StreamEvent) => void): (piece: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | null = null;

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0) onEvent({ event: event === '' ? 'message' : event, data: data.join('\n'), id });
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }

  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const text of lines) line(text);
  };
}
