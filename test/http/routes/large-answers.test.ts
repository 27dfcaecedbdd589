/** The largest answers there can be: how large they are, that making them holds nobody else up, and what becomes of one that cannot be made. */
import { describe, expect, it } from 'vitest';
import { route } from '../../../src/http/routes/route.ts';
import { toSearchReply } from '../../../src/http/wire/wire.ts';
import type { SearchAnswer, SearchHit } from '../../../src/search/document-index.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { json, startHttpServer } from '../../support/http-server.ts';
import { cpuOf, longestTurn } from '../../support/turn-time.ts';
import { undescribed } from '../../../src/tasks/given.ts';

const version = '0190a0b0-0000-7000-8000-000000000001' as TaskId;
const mebibyte = 1024 * 1024;

/** A hit with as much in it as a hit may have, in characters that take most bytes. */
const largestHit: SearchHit = {
  relevance: 0.5,
  score: 0.123456789012345,
  docId: '\u{20000}'.repeat(128),
  version,
  filename: '\u0001'.repeat(300),
  title: '\u0001'.repeat(300),
  ...undescribed,
  text: '\u0001'.repeat(8000),
  acrossLanguages: false,
  highlights: Array.from({ length: 200 }, (_, i) => [7000 + i, 7001 + i] as const),
  chunkIndex: 1_000_000,
  start: 199_992_000,
  end: 200_000_000,
  page: 100_000,
  pageEnd: 100_000,
  section: Array.from({ length: 8 }, () => '\u0001'.repeat(200)),
};
const largestAnswer: SearchAnswer = {
  hits: Array.from({ length: 100 }, () => largestHit),
  total: 100,
  tookMs: 1,
  notice: null,
  shownFor: null,
};

describe('the largest answers', () => {
  it('of a search have at most 8 MiB, and hold the event loop for a small part of what one JSON.stringify would [S49]', async () => {
    await using server = await startHttpServer({
      services: (services) => ({ ...services, search: { search: async () => largestAnswer } }),
    });
    const ask = async (): Promise<Buffer> => Buffer.from(await (await fetch(`${server.url}/search?q=x&top_k=100`)).arrayBuffer());
    const body = await ask();
    expect(JSON.parse(body.toString('utf8'))).toMatchObject({ total: 100, hits: { length: 100 } });
    expect(body.length).toBeGreaterThan(5 * mebibyte);
    expect(body.length).toBeLessThanOrEqual(8 * mebibyte);

    const query = { query: 'x', mode: 'hybrid', topK: 100, offset: 0, filter: {} } as const;
    const whole = Math.min(
      ...Array.from({ length: 5 }, () =>
        cpuOf(() => Buffer.from(JSON.stringify(toSearchReply(query, largestAnswer, { basePath: '', taskRetentionMs: 1 })))),
      ),
    );
    const held: number[] = [];
    for (let i = 0; i < 5; i += 1) held.push(await longestTurn(ask));
    expect(Math.min(...held)).toBeLessThan(whole / 2);
  });

  it('of a list end at 4 MiB, and the rest comes with the cursor', async () => {
    await using server = await startHttpServer();
    const metadata = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`m${i}`, 'x'.repeat(1000)]));
    const form = (): FormData => {
      const made = new FormData();
      made.append('metadata', JSON.stringify(metadata));
      made.append('file', new Blob(['some text']), 'a.txt');
      return made;
    };
    for (let i = 0; i < 450; i += 1)
      expect((await fetch(`${server.url}/insert?doc_id=d${i}`, { method: 'POST', body: form() })).status).toBe(200);

    for (const [path, name] of [
      ['/documents', 'documents'],
      ['/tasks', 'tasks'],
    ] as const) {
      const seen: string[] = [];
      let pages = 0;
      for (let cursor = ''; ; pages += 1) {
        const answer = await fetch(`${server.url}${path}?limit=1000${cursor}`);
        const text = await answer.text();
        expect(text.length).toBeLessThanOrEqual(8 * mebibyte);
        const page = JSON.parse(text) as { next_cursor: string | null } & Record<string, { doc_id: string }[]>;
        seen.push(...page[name]!.map((each) => each.doc_id));
        if (page.next_cursor === null) break;
        cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
      }
      expect(pages).toBeGreaterThan(0);
      expect(new Set(seen).size).toBe(450);
      expect(seen).toHaveLength(450);
    }
  });
});

describe('an answer that cannot be made', () => {
  it('is a problem document with the request id, and the log says why', async () => {
    const broken = route({
      operation: 'broken',
      method: 'GET',
      path: '/broken',
      scope: 'public',
      tag: 'system',
      summary: 'Answers what no JSON can hold.',
      answers: { 200: { description: 'Never.', mediaType: 'application/json' } },
      handle: ({ ctx }) => void (ctx.body = { n: 1n }),
    });
    await using server = await startHttpServer({ extraRoutes: [broken] });

    const answer = await fetch(`${server.url}/broken`, { headers: { 'X-Request-Id': 'mine' } });

    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await json(answer)).toMatchObject({ code: 'internal', request_id: 'mine' });
    expect(server.log.filter(({ level }) => level === 'error')).toMatchObject([
      { sentence: 'request failed', fields: { requestId: 'mine' } },
    ]);
  });
});
