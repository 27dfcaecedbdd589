/** Two front ends under uploads, deletions, searches and lists while trouble comes and goes, and what must hold afterwards. */
import { insert, search, type TestServer } from './server.ts';
import type { Trouble } from './troubles.ts';
import { until } from './until.ts';

/** What became of one document: a word that only its text has, and what was answered. */
type Upload = { readonly docId: string; readonly word: string; status: number; removed: number | null };

export type TroubleLoad = {
  /** Answers that should not have been, as `what status body`. */
  readonly wrong: readonly string[];
  /** So many answers have been refused in all. */
  refused(): number;
  answered(): number;
  /** What an answer may be from now on, beside those of good times. */
  allow(codes: readonly number[]): void;
  /** What `GET /ready` of both front ends answers. */
  ready(): Promise<number[]>;
  /** Until both front ends take an upload; how long it took, in milliseconds. */
  recovered(): Promise<number>;
  /** Ends the load; then says what is lost, what is there though it was refused, and where list and search differ. */
  judge(): Promise<string[]>;
};

const pauseMs = 30;

export function startLoad(servers: readonly TestServer[]): TroubleLoad {
  const uploads: Upload[] = [];
  const wrong: string[] = [];
  let allowed: readonly number[] = [];
  /** Still right for what was asked before it ended. */
  let allowedBefore: readonly number[] = [];
  let refused = 0;
  let answered = 0;
  let count = 0;
  let ended = false;

  async function note(what: string, good: readonly number[], asked: Promise<Response>): Promise<number> {
    const mayBe = [...allowed, ...allowedBefore];
    try {
      const response = await asked;
      const body = await response.text();
      answered += 1;
      if (good.includes(response.status)) return response.status;
      refused += 1;
      if (![...mayBe, ...allowed].includes(response.status)) wrong.push(`${what} ${response.status} ${body.slice(0, 300)}`);
      return response.status;
    } catch (error) {
      wrong.push(`${what} not answered: ${String((error as Error).cause ?? error)}`);
      return 0;
    }
  }

  async function upload({ url }: TestServer): Promise<Upload> {
    count += 1;
    const one = { docId: `d${count}`, word: `w${count.toString(36)}q${count.toString(36)}x`, status: 0, removed: null };
    uploads.push(one);
    const file = { name: `${one.docId}.txt`, bytes: `A text about ${one.word}.` };
    one.status = await note('upload', [200, 202], insert(url, one.docId, file, { prefer: 'respond-async' }));
    return one;
  }

  const loops = servers.flatMap((server) => [
    async (): Promise<void> => void (await upload(server)),
    async (): Promise<void> => {
      const one = uploads.findLast(({ status, removed }) => status === 202 && removed === null);
      if (one === undefined || count % 5 !== 0) return;
      one.removed = 0;
      one.removed = await note('delete', [200, 204, 404], fetch(`${server.url}/documents/${one.docId}`, { method: 'DELETE' }));
    },
    async (): Promise<void> => {
      await note('search', [200], fetch(`${server.url}/search?q=text`));
      await note('list', [200], fetch(`${server.url}/documents?limit=5`));
      await note('tasks', [200], fetch(`${server.url}/tasks?limit=5`));
    },
  ]);

  async function forEver(work: () => Promise<void>): Promise<void> {
    while (!ended) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  const running = loops.map(forEver);

  return {
    wrong,
    refused: () => refused,
    answered: () => answered,
    allow(codes) {
      allowedBefore = allowed;
      allowed = codes;
    },
    ready: () => Promise.all(servers.map(async ({ url }) => (await fetch(`${url}/ready`)).status)),
    async recovered() {
      const startedAt = performance.now();
      for (const server of servers)
        await until('an upload is taken again', async () => [200, 202].includes((await upload(server)).status));
      return performance.now() - startedAt;
    },
    async judge() {
      ended = true;
      await Promise.all(running);
      const [{ url }] = servers as [TestServer, ...TestServer[]];
      await until(
        'nothing waits or runs',
        async () => {
          const { tasks } = (await (await fetch(`${url}/tasks?limit=1000`)).json()) as { tasks: { status: string }[] };
          return tasks.every(({ status }) => status === 'completed' || status === 'failed');
        },
        // All that was taken in meanwhile, by as much of a processor as there is.
        600_000,
      );
      return (await Promise.all(servers.map((server) => differences(server, uploads)))).flat();
    },
  };
}

async function differences({ url }: TestServer, uploads: readonly Upload[]): Promise<string[]> {
  const listed = new Set<string>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = (await (await fetch(`${url}/documents?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`)).json()) as {
      documents: { doc_id: string }[];
      next_cursor: string | null;
    };
    for (const { doc_id } of page.documents) listed.add(doc_id);
    cursor = page.next_cursor;
  }
  const found: string[] = [];
  for (const { docId, word, status, removed } of uploads) {
    const hits = (await search(url, `"${word}"`, { mode: 'keyword' })).filter((hit) => hit.text.includes(word));
    const isFound = hits.some(({ citation }) => citation.doc_id === docId);
    const accepted = status === 200 || status === 202;
    if (isFound !== listed.has(docId)) found.push(`${docId}: listed ${listed.has(docId)}, found ${isFound}`);
    if (accepted && removed === null && !isFound) found.push(`${docId}: accepted and lost`);
    if (removed === 200 && isFound) found.push(`${docId}: removed and there`);
    if (!accepted && isFound) found.push(`${docId}: refused with ${status} and there`);
  }
  return found;
}

/** Lets trouble come over a load and go again; how long the recovery took, in milliseconds. */
export async function passThrough(
  load: TroubleLoad,
  trouble: Trouble,
  { silent, lastsMs = 0 }: { silent: (ms: number) => Promise<boolean>; lastsMs?: number },
): Promise<number> {
  load.allow([503, ...(trouble.answer === undefined ? [] : [trouble.answer])]);
  const before = { refused: load.refused(), answered: load.answered() };
  const beganAt = performance.now();
  await trouble.begin();
  try {
    if (trouble.refuses) await until(`uploads are refused: it ${trouble.name}`, () => load.refused() > before.refused + 10);
    // What uploads are told is what whoever asks beforehand is told.
    if (trouble.refuses)
      await until(`nobody is ready: it ${trouble.name}`, async () => (await load.ready()).every((status) => status === 503));
    await until('the load went on', () => load.answered() > before.answered + 40);
    if (trouble.keepsOut === true) await until('somebody has not shown itself for long', () => silent(4000));
    await until('it has lasted', () => performance.now() - beganAt >= lastsMs);
  } finally {
    await trouble.end();
  }
  const recoveredMs = await load.recovered();
  await until('both are ready again', async () => (await load.ready()).every((status) => status === 200));
  load.allow([]);
  return recoveredMs;
}
