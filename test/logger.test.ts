import { describe, expect, it } from 'vitest';
import { createLogger, type LogOptions, type Logger } from '../src/logger.ts';

/** What the logger writes while `work` uses it. */
function written(options: Partial<LogOptions>, work: (logger: Logger) => void): string {
  let text = '';
  work(createLogger({ level: 'debug', base: { role: 'serve', pid: 1 }, write: (line) => (text += line), ...options }));
  return text;
}

const hostile = 'a\r\nforged\u001b[31m\u0085\u009b\u2028\u202e报告';

describe('the log', () => {
  it('is one JSON line for each thing that happened', () => {
    const text = written({}, (logger) => {
      logger.info({ docId: '报告' }, 'upload accepted');
      logger.child({ requestId: 'r' }).error({ err: new Error('broken') }, 'request failed');
    });

    const [first, second] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ level: 30, role: 'serve', docId: '报告', msg: 'upload accepted' });
    expect(second).toMatchObject({ level: 50, requestId: 'r', err: { message: 'broken', stack: expect.any(String) } });
  });

  it.each([false, true])('keeps hostile text on its line, and lets it steer nothing (on a terminal: %s) [S38]', (terminal) => {
    const text = written({ terminal }, (logger) => logger.warn({ docId: hostile, filename: hostile }, 'task finished'));

    expect(text.trim().split('\n')).toHaveLength(1);
    expect(text.trim()).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
    expect(text).toContain('报告');
    if (!terminal) expect(JSON.parse(text)).toMatchObject({ docId: hostile });
  });

  it('is text on a terminal', () => {
    const text = written({ terminal: true }, (logger) => {
      logger.warn({ docId: '报告', bytes: 5 }, 'too slow');
      logger.error({ err: new Error('broken \u001b[31m') }, 'request failed');
    });

    expect(text).toMatch(/^\d\d:\d\d:\d\d warn {2}serve: too slow {2}docId="报告" {2}bytes=5\n/);
    expect(text).toMatch(/error serve: request failed\nError: broken \\u001b\[31m\n +at /);
  });

  it('says nothing below its level', () => {
    expect(written({ level: 'warn' }, (logger) => logger.info({}, 'not this'))).toBe('');
  });
});
