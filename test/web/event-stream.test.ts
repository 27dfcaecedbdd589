import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventParser, type StreamEvent } from '../../src/web/event-stream.ts';

function parse(pieces: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const push = createEventParser((event) => events.push(event));
  for (const piece of pieces) push(piece);
  return events;
}

describe('the event parser', () => {
  it('reads name, data of several lines and id, and passes over comments', () => {
    const events = parse([': hello\n\nid: 7\nevent: task\ndata: {"a":\ndata: 1}\n\n: keep-alive\n\ndata:x\r\n\r\n']);

    expect(events).toEqual([
      { event: 'task', data: '{"a":\n1}', id: '7' },
      { event: 'message', data: 'x', id: '7' },
    ]);
  });

  it('gives nothing for an event that has not ended', () => {
    expect(parse(['event: task\ndata: half'])).toEqual([]);
  });

  it('gives the same events however the stream is cut', () => {
    const stream = 'id: a-1\nevent: task\ndata: {"名":"报告"}\n\n: c\n\nid: a-2\r\nevent: task\r\ndata: 2\r\n\r\ndata: 3\n\n';
    const whole = parse([stream]);

    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const places = [...new Set([0, ...cuts, stream.length])].sort((a, b) => a - b);
        expect(parse(places.slice(1).map((end, index) => stream.slice(places[index], end)))).toEqual(whole);
      }),
    );
  });
});
