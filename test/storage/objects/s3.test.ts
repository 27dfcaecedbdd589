/** An object store that is slow, silent, cut, redirected, wrong about the time or no object store at all: each wait ends, and one sentence says why. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObjectStore } from '../../../src/storage/objects/object-store.ts';
import { answer, errorAnswer, type Reply, silence, startScriptedStore } from '../../support/scripted-store.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const small = { bytes: 3, content: Buffer.from('abc') };
const stored = answer(200, '', { etag: '"one"' });
const whole = answer(200, 'abc', { etag: '"one"', 'content-length': '3' });
const listed = answer(200, '<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>');

const operations: Record<string, (store: ObjectStore) => Promise<unknown>> = {
  put: (store) => store.put('key', small),
  get: async (store) => text((await store.get('key', null))!.stream),
  'part of': async (store) => text((await store.get('key', { first: 1, last: 2 }))!.stream),
  delete: (store) => store.delete('key'),
  list: async (store) => {
    for await (const keys of store.list('')) expect(keys).toEqual(['a']);
  },
};

/** Under load one that is given up may never come to the server. */
function triesOf(store: ObjectStore): number {
  return store.figures().requests.reduce((sum, { count }) => sum + count, 0);
}

/** What a client is told, and what the log. */
const away = (reason: unknown) => ({
  code: 'unavailable',
  message: 'RAG service is not ready.',
  retryAfterSeconds: 5,
  extensions: { reason: 'The file store cannot be used now.' },
  cause: { message: reason },
});

describe.each(Object.entries(operations))('%s', (_name, run) => {
  it.each([
    [
      'a wrong secret',
      errorAnswer(403, 'SignatureDoesNotMatch'),
      1,
      /^the object store answered 403 SignatureDoesNotMatch: AWS_SECRET_ACCESS_KEY is not/,
    ],
    ['a key that is not known', errorAnswer(403, 'InvalidAccessKeyId'), 1, /AWS_ACCESS_KEY_ID is not known there$/],
    ['a key without rights', errorAnswer(403, 'AccessDenied'), 1, /may not do that; it has to get, put, delete and list objects$/],
    ['a token that has expired', errorAnswer(400, 'ExpiredToken'), 1, /AWS_SESSION_TOKEN has expired$/],
    ['a clock that is wrong', errorAnswer(403, 'RequestTimeTooSkewed'), 1, /the clock of this machine is wrong$/],
    [
      'a region that is wrong',
      errorAnswer(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1', location: '/elsewhere' }),
      1,
      /another region or at another endpoint than FILES_URL says \(region=eu-west-1\)$/,
    ],
    [
      'a redirect for a while',
      errorAnswer(307, 'TemporaryRedirect', { location: '/elsewhere' }),
      4,
      /answered 307 TemporaryRedirect/,
    ],
    ['no such bucket', errorAnswer(404, 'NoSuchBucket'), 1, /there is no bucket as FILES_URL names it$/],
    ['too many requests', errorAnswer(503, 'SlowDown'), 4, /answered 503 SlowDown: it asks for fewer requests$/],
    ['an error that comes with 200', errorAnswer(200, 'InternalError'), 4, /^the object store answered 200 InternalError$/],
    ['a page of a proxy', answer(502, '<html>Bad gateway'), 4, /^the object store answered 502$/],
    ['silence', silence, 4, /^the object store does not answer: nothing came for 100 ms$/],
    ['a connection that breaks', (request) => void request.socket.destroy(), 4, /^the object store does not answer: /],
  ] satisfies [string, Reply, number, RegExp][])('ends on %s, and says so', async (_, reply, tries, reason) => {
    await using scripted = await startScriptedStore([reply], reply === silence ? 100 : 10_000);
    await expect(run(scripted.store)).rejects.toMatchObject(away(expect.stringMatching(reason)));
    expect(triesOf(scripted.store)).toBe(tries);
    expect(scripted.asked.some((path) => path.includes('elsewhere'))).toBe(false);
    expect(await scripted.store.state()).toMatchObject({ state: 'unusable', reason: expect.stringMatching(reason) as string });
  });
});

describe('what is no object store', () => {
  const page = answer(200, '<html>Log in first</html>');

  it.each(['put', 'get', 'part of', 'list'])('is not believed: %s', async (operation) => {
    await using scripted = await startScriptedStore([page]);
    const strange = 'what answers at FILES_URL with 200 is no object store, or something between changes its answers';
    await expect(operations[operation]!(scripted.store)).rejects.toMatchObject(away(strange));
  });

  it.each(['bytes 0-1/3', 'bytes */3', 'all of it'])(
    'is not believed that this is the part that was asked for: %s',
    async (place) => {
      const part = answer(206, 'ab', { etag: '"one"', 'content-range': place, 'content-length': '2' });
      await using scripted = await startScriptedStore([part]);
      await expect(operations['part of']!(scripted.store)).rejects.toMatchObject(
        away(expect.stringContaining('is no object store')),
      );
    },
  );

  it('is not read on with another part than the one that is missing', async () => {
    const cut: Reply = (request, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': '6' });
      response.write('abc', () => setImmediate(() => request.socket.destroySoon()));
    };
    const other = answer(206, 'abc', { etag: '"one"', 'content-range': 'bytes 0-2/6', 'content-length': '3' });
    await using scripted = await startScriptedStore([cut, other]);
    await expect(text((await scripted.store.get('key', null))!.stream)).rejects.toMatchObject(
      away(expect.stringContaining('is no object store')),
    );
  });

  it.each([
    ['names no next page', '<IsTruncated>true</IsTruncated>'],
    ['names the same page again', '<IsTruncated>true</IsTruncated><NextContinuationToken>one</NextContinuationToken>'],
  ])('is not believed that a list is whole which %s', async (_, more) => {
    const page = `<ListBucketResult><Contents><Key>a</Key></Contents>${more}</ListBucketResult>`;
    await using scripted = await startScriptedStore([answer(200, page)]);
    await expect(operations['list']!(scripted.store)).rejects.toMatchObject(
      away('the object store does not say how its list goes on'),
    );
    expect(scripted.asked.length).toBeLessThan(3);
  });

  it('is not believed that an object is gone', async () => {
    await using scripted = await startScriptedStore([answer(404, '<html>Not found</html>')]);
    await expect(scripted.store.get('key', null)).rejects.toMatchObject(away(expect.stringContaining('is no object store')));
  });

  it('is not listened to without end', async () => {
    const endless: Reply = (_request, response) => {
      const more = (): void => void (response.write(Buffer.alloc(65_536)) ? setImmediate(more) : response.once('drain', more));
      response.writeHead(500);
      more();
    };
    await using scripted = await startScriptedStore([endless]);
    await expect(scripted.store.delete('key')).rejects.toMatchObject(away(expect.stringContaining('is no object store')));
  });
});

describe('what passes', () => {
  it.each(Object.entries(operations))('is tried again: %s', async (operation, run) => {
    const part = answer(206, 'bc', { etag: '"one"', 'content-range': 'bytes 1-2/3', 'content-length': '2' });
    const good = { put: stored, get: whole, 'part of': part, delete: answer(204), list: listed }[operation]!;
    const cut: Reply = (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-length': '1000' });
      response.write('<ListBucketResult>', () => request.socket.destroy());
    };
    await using scripted = await startScriptedStore(
      [errorAnswer(503, 'SlowDown'), errorAnswer(200, 'InternalError'), cut, good],
      2000,
    );
    await run(scripted.store);
    expect(scripted.asked).toHaveLength(4);
    expect(await scripted.store.state()).toEqual({ state: 'ready' });
  });

  it('is counted, by what was asked and what came of it', async () => {
    await using scripted = await startScriptedStore([
      errorAnswer(503, 'SlowDown'),
      stored,
      whole,
      errorAnswer(404, 'NoSuchKey'),
      errorAnswer(503, 'SlowDown'),
    ]);
    await scripted.store.put('key', small);
    await text((await scripted.store.get('key', null))!.stream);
    expect(await scripted.store.get('key', null)).toBeNull();
    await scripted.store.delete('key').catch(() => undefined);

    const { requests, seconds, bytesSent, bytesReceived } = scripted.store.figures();
    expect(requests).toEqual([
      { operation: 'put', outcome: '503', count: 1 },
      { operation: 'put', outcome: 'ok', count: 1 },
      { operation: 'get', outcome: 'ok', count: 1 },
      { operation: 'get', outcome: 'absent', count: 1 },
      { operation: 'delete', outcome: '503', count: 4 },
    ]);
    expect(seconds.map(({ operation }) => operation)).toEqual(['put', 'get', 'delete']);
    expect(seconds.every((each) => each.seconds > 0)).toBe(true);
    expect([bytesSent, bytesReceived]).toEqual([3, 3]);
  });
});

describe('how it is', () => {
  it('is asked for once where it had no room, so that the answer comes in time', async () => {
    await using scripted = await startScriptedStore([errorAnswer(507, 'StorageFull'), errorAnswer(507, 'StorageFull'), stored]);
    await expect(scripted.store.put('key', small)).rejects.toMatchObject({ code: 'insufficient_storage' });
    await until('it has room again', async () => (await scripted.store.state()).state === 'ready');
    expect(scripted.asked).toEqual(['PUT /bucket/key', 'PUT /bucket/probe', 'PUT /bucket/probe']);
  });
});

describe('a large object', () => {
  const bytes = 16 * 1024 * 1024;

  async function file(dir: string): Promise<{ bytes: number; content: { path: string } }> {
    const path = join(dir, 'large');
    await writeFile(path, randomBytes(bytes));
    return { bytes, content: { path } };
  }

  it('is one request of a length that is said before', async () => {
    await using dir = await tempDir();
    const arrived: unknown[] = [];
    const take: Reply = (request, response) => {
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      void buffer(request).then((body) => {
        arrived.push([request.method, length, coding, body.length]);
        response.writeHead(200, { etag: '"one"' }).end();
      });
    };
    await using scripted = await startScriptedStore([take]);
    await scripted.store.put('key', await file(dir.path));
    expect(arrived).toEqual([['PUT', String(bytes), undefined, bytes]]);
  });

  it('is given up when nothing of it is taken any more, however long it might take', async () => {
    await using dir = await tempDir();
    const stall: Reply = (request) => void request.pause();
    await using scripted = await startScriptedStore([stall], 100);
    await expect(scripted.store.put('key', await file(dir.path))).rejects.toMatchObject(
      away(expect.stringContaining('the object store does not answer: nothing came for')),
    );
    expect(triesOf(scripted.store)).toBe(4);
  });

  it('holds no connection when its reader leaves before the first byte', async () => {
    const left = Promise.withResolvers<void>();
    const endless: Reply = (_request, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': String(bytes) }).write('first');
      response.once('close', left.resolve);
    };
    await using scripted = await startScriptedStore([endless]);
    // A process of its own, in which no garbage is collected that soon: that would let go of it too.
    const child = fork(fileURLToPath(new URL('leaver-child.ts', import.meta.url)), [scripted.filesUrl]);
    onTestFinished(() => void child.kill());
    await left.promise;
  });

  it('is read on where it was cut, and given up when that goes on', async () => {
    const content = randomBytes(300_000);
    const cutAt =
      (from: number, to: number): Reply =>
      (request, response) => {
        const [, first = '0'] = /bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
        expect([Number(first), request.headers['if-match']]).toEqual([from, from === 0 ? undefined : '"one"']);
        const length = content.length - from;
        const place = from === 0 ? {} : { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
        response.writeHead(from === 0 ? 200 : 206, { etag: '"one"', 'content-length': String(length), ...place });
        response.write(content.subarray(from, to), () => setImmediate(() => request.socket.destroySoon()));
      };
    await using scripted = await startScriptedStore([cutAt(0, 100_000), cutAt(100_000, 200_000), cutAt(200_000, 300_000)]);
    expect((await buffer((await scripted.store.get('key', null))!.stream)).equals(content)).toBe(true);

    await using broken = await startScriptedStore([cutAt(0, 100_000), errorAnswer(503, 'SlowDown')]);
    const { stream } = (await broken.store.get('key', null))!;
    await expect(buffer(stream)).rejects.toMatchObject(away(expect.stringContaining('503 SlowDown')));
  });
});
