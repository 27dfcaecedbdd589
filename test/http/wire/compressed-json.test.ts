import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { route } from '../../../src/http/routes/route.ts';
import { compressedFromBytes } from '../../../src/http/wire/compressed-json.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { Readable } from 'node:stream';

type Raw = { readonly headers: Record<string, string | string[] | undefined>; readonly body: Buffer };

/** As it comes over the wire: fetch would decode it. */
function raw(url: string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(pieces) }));
    }).on('error', reject);
  });
}

const words = 'x'.repeat(2 * compressedFromBytes);
const routes = (['large', 'small', 'versioned', 'streamed', 'text'] as const).map((kind) =>
  route({
    operation: kind,
    method: 'GET',
    path: `/${kind}`,
    scope: 'public',
    tag: 'system',
    summary: kind,
    hasVersions: true,
    answers: { 200: { description: kind, mediaType: 'application/json' } },
    handle({ ctx }) {
      ctx.body = kind === 'text' ? words : { words };
      if (kind === 'small') ctx.body = { words: 'x' };
      if (kind === 'versioned') ctx.set('ETag', '"1"');
      if (kind !== 'streamed') return;
      ctx.body = Readable.from([Buffer.from(`{"words":"${words}`), Buffer.from('"}')], { objectMode: false });
      ctx.type = 'json';
      ctx.length = words.length + 12;
    },
  }),
);

describe('JSON answers', () => {
  it.each(['large', 'streamed'])(
    'come in br or gzip with Vary where the client takes them, else as they are (%s)',
    async (path) => {
      await using server = await startHttpServer({ extraRoutes: routes });
      const ask = (accepted?: string): Promise<Raw> =>
        raw(`${server.url}/${path}`, accepted === undefined ? {} : { 'accept-encoding': accepted });

      const [br, gz, plain, none] = await Promise.all([ask('gzip, br'), ask('gzip'), ask(), ask('identity')]);

      expect(br.headers['content-encoding']).toBe('br');
      expect(JSON.parse(brotliDecompressSync(br.body).toString())).toEqual({ words });
      expect(gz.headers['content-encoding']).toBe('gzip');
      expect(JSON.parse(gunzipSync(gz.body).toString())).toEqual({ words });
      for (const { headers, body } of [plain, none]) {
        expect(headers['content-encoding']).toBeUndefined();
        expect(JSON.parse(body.toString())).toEqual({ words });
        expect(headers['content-length']).toBe(String(body.length));
      }
      for (const { headers } of [br, gz, plain, none]) {
        expect(headers.vary).toContain('Accept-Encoding');
        expect(headers['content-type']).toBe('application/json; charset=utf-8');
      }
      expect(gz.body.length).toBeLessThan(plain.body.length / 10);
    },
  );

  it.each(['small', 'versioned', 'text'])(
    'stay as they are where they are small, have an ETag, or are no JSON (%s)',
    async (path) => {
      await using server = await startHttpServer({ extraRoutes: routes });

      const { headers } = await raw(`${server.url}/${path}`, { 'accept-encoding': 'gzip, br' });

      expect(headers['content-encoding']).toBeUndefined();
    },
  );

  it('say the length of the compressed form to HEAD', async () => {
    await using server = await startHttpServer({ extraRoutes: routes });
    const { body } = await raw(`${server.url}/large`, { 'accept-encoding': 'gzip' });

    const head = await fetch(`${server.url}/large`, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });

    expect(head.headers.get('content-length')).toBe(String(body.length));
  });
});
