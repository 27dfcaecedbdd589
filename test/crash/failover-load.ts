/** Uploads, replacements, deletions and searches by clients of two front ends while their database fails over, and what must hold afterwards. */
import { randomFrom, type Random } from './random.ts';
import type { WireHit, WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';

export const key = 'correct-horse-battery-staple-0123456789';
const authorization = { authorization: `Bearer ${key}` };

/** What became of one document: the word of its text as it was acknowledged last; null: none. */
type Doc = {
  readonly id: string;
  word: string | null;
  /** Words that were replaced or removed: nobody may find them. */
  readonly others: string[];
  /** Words of uploads that were refused since the last that was acknowledged: the answer to their commit may have been lost, and a worker may have been quicker than their withdrawal. */
  readonly refused: string[];
  /** No answer came, or a removal was refused: it may be either way, and is left alone from then on. */
  isUnsure: boolean;
  isBusy: boolean;
  isSettled: boolean;
};

export type FailoverLoad = {
  /** Ids of tasks that were acknowledged, each with the address that its end is told to. */
  readonly accepted: readonly string[];
  answered(): number;
  refused(): number;
  /** Answers that no client should get, and none at all. */
  readonly wrong: readonly string[];
  /** When an upload was acknowledged by each front end for the first time after `at` (`performance.now`); Infinity: not yet. */
  takenAfter(at: number): readonly number[];
  stop(): Promise<void>;
  /** What is lost or found wrongly. Ask it when the load is stopped. */
  judge(): Promise<string[]>;
  /** How many uploads are there although they were refused with 503. */
  thereThoughRefused(): Promise<number>;
};

const clientsEach = 3;
const pauseMs = 20;
export type FailoverLoadOptions = {
  readonly fronts: readonly string[];
  /** Where the ends of tasks are told. */
  readonly callback: string;
  readonly seed: number;
  /** Whoever is not answered by then has not been told that the database is away. */
  readonly answerMsMax: number;
};

export function startFailoverLoad({ fronts, callback, seed, answerMsMax }: FailoverLoadOptions): FailoverLoad {
  const docs: Doc[] = [];
  const accepted: string[] = [];
  const wrong: string[] = [];
  const taken: number[][] = fronts.map(() => []);
  let answered = 0;
  let refused = 0;
  let words = 0;
  let stopping = false;

  /** Null: refused, or not answered. */
  async function ask(
    what: string,
    good: readonly number[],
    url: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Response | null> {
    try {
      const headers = { ...authorization, ...init.headers };
      const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(answerMsMax) });
      answered += 1;
      if (good.includes(response.status)) return response;
      refused += 1;
      const text = await response.text();
      if (response.status !== 503) wrong.push(`${what}: ${response.status} ${text.slice(0, 300)}`);
      return null;
    } catch (error) {
      wrong.push(`${what}: no answer (${String((error as Error).cause ?? error)})`);
      return null;
    }
  }

  async function upload(front: number, doc: Doc, waits: boolean): Promise<void> {
    words += 1;
    const word = `w${words.toString(36)}q${words.toString(36)}x`;
    const url = `${fronts[front]}/documents/${doc.id}?filename=${doc.id}.txt&callback_url=${encodeURIComponent(callback)}`;
    const before = wrong.length;
    const response = await ask('upload', [200, 202], url, {
      method: 'PUT',
      body: `A text about ${word}.`,
      headers: waits ? {} : { prefer: 'respond-async' },
    });
    if (response === null) {
      doc.refused.push(word);
      doc.isUnsure = wrong.length > before;
      return;
    }
    taken[front]!.push(performance.now());
    const body = (await response.json()) as WireTask & { task_id: string };
    accepted.push(response.headers.get('x-task-id') ?? body.task_id);
    outdate(doc);
    doc.word = word;
    doc.isSettled = response.status === 200;
  }

  /** What is acknowledged now came after all that was sent before, refused or not. */
  function outdate(doc: Doc): void {
    doc.others.push(...doc.refused.splice(0), ...(doc.word === null ? [] : [doc.word]));
  }

  async function remove(front: number, doc: Doc): Promise<void> {
    const response = await ask('delete', [200, 404], `${fronts[front]}/documents/${doc.id}`, { method: 'DELETE' });
    if (response === null) doc.isUnsure = true;
    if (response?.status === 404) wrong.push(`${doc.id}: acknowledged as searchable, and not there to be deleted`);
    await response?.text();
    if (response === null) return;
    outdate(doc);
    doc.word = null;
  }

  async function look(front: number, random: Random): Promise<void> {
    const doc = docs.findLast((each) => each.isSettled && !each.isBusy && !each.isUnsure && each.word !== null);
    if (doc?.word == null || random.next() < 0.3)
      return void (await ask('list', [200], `${fronts[front]}/documents?limit=5`))?.text();
    doc.isBusy = true;
    const { word } = doc;
    const response = await ask('search', [200], `${fronts[front]}/search?q=${word}&mode=keyword`);
    const hits = response === null ? null : ((await response.json()) as { hits: WireHit[] }).hits;
    if (hits !== null && !hits.some(({ text }) => text.includes(word)))
      wrong.push(`${doc.id}: acknowledged as searchable, and not found`);
    doc.isBusy = false;
  }

  async function act(front: number, random: Random): Promise<void> {
    const choice = random.next();
    if (choice < 0.3) return look(front, random);
    const doc = choice < 0.6 ? newDoc() : docs.findLast((each) => each.isSettled && !each.isBusy && !each.isUnsure);
    if (doc === undefined) return;
    doc.isBusy = true;
    if (choice < 0.9 || doc.word === null) await upload(front, doc, choice > 0.45);
    else await remove(front, doc);
    doc.isBusy = false;
  }

  function newDoc(): Doc {
    const doc = { id: `doc-${docs.length}`, word: null, others: [], refused: [], isUnsure: false, isBusy: false, isSettled: false };
    docs.push(doc);
    return doc;
  }

  async function run(front: number, client: number): Promise<void> {
    const random = randomFrom(seed + 100 * front + client);
    while (!stopping) {
      await act(front, random);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  const running = fronts.flatMap((_url, front) => Array.from({ length: clientsEach }, (_, client) => run(front, client)));

  async function finds(url: string, word: string): Promise<boolean> {
    const response = await fetch(`${url}/search?q=${word}&mode=keyword`, { headers: authorization });
    const { hits } = (await response.json()) as { hits: WireHit[] };
    return hits.some(({ text }) => text.includes(word));
  }

  async function judgeDoc(doc: Doc, url: string): Promise<string[]> {
    const found: string[] = [];
    if (doc.word !== null && !(await finds(url, doc.word)) && !doc.isUnsure) found.push(`${doc.id}: acknowledged and lost`);
    for (const word of doc.others)
      if (!doc.isUnsure && (await finds(url, word))) found.push(`${doc.id}: replaced or removed, and there`);
    return found;
  }

  return {
    accepted,
    answered: () => answered,
    refused: () => refused,
    wrong,
    takenAfter: (at) => taken.map((times) => times.find((time) => time > at) ?? Infinity),
    async stop() {
      stopping = true;
      await Promise.all(running);
      await until(
        'nothing waits or runs',
        async () => {
          const counts = await Promise.all(
            ['pending', 'processing'].map(async (status) => {
              const response = await fetch(`${fronts[0]}/tasks?limit=1&status=${status}`, { headers: authorization });
              return ((await response.json()) as { tasks: unknown[] }).tasks.length;
            }),
          );
          return counts.every((count) => count === 0);
        },
        600_000,
      );
    },
    async judge() {
      const found: string[] = [];
      for (const [n, doc] of docs.entries()) found.push(...(await judgeDoc(doc, fronts[n % fronts.length]!)));
      return found;
    },
    async thereThoughRefused() {
      let found = 0;
      for (const doc of docs.filter(({ isUnsure }) => !isUnsure))
        for (const word of doc.refused) found += (await finds(fronts[0]!, word)) ? 1 : 0;
      return found;
    },
  };
}
