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

  it('writes of an error only what is on the list, whatever hangs on it, and nothing without end', () => {
    const cause = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter-2'] }, code: 7 });
    const error = Object.assign(new Error('x'.repeat(1_000_000), { cause }), { config: { password: 'hunter-2' }, code: 'EPIPE' });
    const endless = new Error('round');
    endless.cause = endless;
    const text = written({}, (logger) => {
      logger.error({ err: error, other: cause }, 'failed');
      logger.error({ err: new AggregateError([cause, cause], 'both'), same: { hunter: 2 } }, 'failed');
      logger.error({ err: endless }, 'failed');
      logger.error({ err: { password: 'hunter-2' } }, 'failed');
    });

    const [first, second] = text.split('\n').map((line) => (line === '' ? null : (JSON.parse(line) as Record<string, unknown>)));
    expect(text).not.toContain('hunter-2');
    expect(first).toMatchObject({ err: { code: 'EPIPE', cause: { message: 'WRONGPASS', code: 7 } }, other: { type: 'Error' } });
    expect(second).toMatchObject({ err: { type: 'AggregateError', errors: [{ message: 'WRONGPASS' }, { message: 'WRONGPASS' }] } });
    expect(text.length).toBeLessThan(100_000);
  });

  it.each([false, true])(
    'hides what was set as a secret, and the password of any address, wherever it is (on a terminal: %s)',
    (terminal) => {
      const secrets = ['p@ss"word', '123456', 'abc'];
      const text = written({ terminal, secrets }, (logger) => {
        const url = 'https://me:p%40ss%22word@host/ and ftp://you:x1@there';
        logger.warn({ deep: [{ url }], said: 'p@ss"word', ms: 123456, word: 'abc' }, 'told');
        logger.error({ err: new Error(`cannot use ${url}`, { cause: new Error('p@ss"word') }) }, 'failed');
      });

      expect(text).not.toMatch(/p@ss|p%40|x1@|word@/);
      expect(text).toContain('you:[hidden]@there');
      expect(text).toContain('abc');
      if (!terminal) expect(JSON.parse(text.split('\n')[0]!)).toMatchObject({ ms: 123456, said: '[hidden]' });
    },
  );

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
