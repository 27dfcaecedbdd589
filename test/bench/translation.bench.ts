/**
 * What the dictionary costs: `npm run bench -- translation [CHUNKS] [ROUNDS]`. Two indexes of words of the dictionary, as common as words are: one in
 * English, one with as much Chinese beside it. Processes with the dictionary and without take turns; medians of their figures,
 * and ratios of each round's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { buildDictionary } from '../../scripts/build-dictionary.ts';
import { stageDocument } from '../support/staged-document.ts';
import type { Bench, Row } from './bench.ts';
import { percentile, round } from './process-figures.ts';
import type { Asked } from './translation-asker.ts';

const questionsCount = 100;
const documentChunks = 20;

export const bench: Bench = {
  title:
    'ms and ms of CPU a question, MB of a process after its questions and those that it holds, without the dictionary and with it',
  argsAmongAll: ['1200', '3'],
  async run([chunks = '4000', rounds = '3']) {
    const folder = await mkdtemp(join(tmpdir(), 'translation-bench-'));
    try {
      await buildDictionary();
      const [english, chinese] = [wordsOf('en-zh.tsv'), wordsOf('zh-en.tsv')];
      await fill(join(folder, 'one'), Number(chunks), [english]);
      await fill(join(folder, 'both'), Number(chunks), [english, chinese]);
      const own = Array.from({ length: questionsCount }, (_, i) => english.text(5 + (i % 5), 10_000 + i));
      const other = Array.from({ length: questionsCount }, (_, i) => chinese.text(5 + (i % 5), 20_000 + i));
      return [
        ...(await compared('English asked of English alone', join(folder, 'one'), [own], Number(rounds))),
        ...(await compared('English asked of both', join(folder, 'both'), [own], Number(rounds))),
        ...(await compared('Chinese asked of English alone', join(folder, 'one'), [other], Number(rounds))),
        ...(await compared('Chinese asked of both', join(folder, 'both'), [other], Number(rounds))),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function compared(what: string, folder: string, sets: readonly string[][], rounds: number): Promise<Row[]> {
  const off: Asked[] = [];
  const on: Asked[] = [];
  for (let i = 0; i < rounds; i++) {
    off.push((await asked(folder, 'off', sets)).at(-1)!);
    on.push((await asked(folder, 'on', sets)).at(-1)!);
  }
  const median = (list: readonly Asked[], of: keyof Asked) =>
    percentile(
      list.map((each) => each[of]),
      0.5,
    );
  const ratio = (of: 'p50' | 'cpu') =>
    percentile(
      on.map((each, i) => each[of] / off[i]![of]),
      0.5,
    );
  return [
    {
      what,
      'p50 off': round(median(off, 'p50')),
      'p50 on': round(median(on, 'p50')),
      'p50 ratio': round(ratio('p50')),
      'CPU ratio': round(ratio('cpu')),
      'MB more': round((median(on, 'bytes') - median(off, 'bytes')) / 1e6),
      'MB more held': round((median(on, 'held') - median(off, 'held')) / 1e6),
    },
  ];
}

async function asked(folder: string, translates: 'on' | 'off', sets: readonly string[][]): Promise<Asked[]> {
  const child = fork(
    new URL('translation-asker.ts', import.meta.url),
    [folder, translates, ...sets.map((set) => JSON.stringify(set))],
    {
      execArgv: ['--expose-gc'],
    },
  );
  const [figures] = (await once(child, 'message')) as [Asked[]];
  if (child.exitCode === null) await once(child, 'exit');
  return figures;
}

type Words = { text(count: number, seed: number): string };

/** Words of one side of the dictionary, with those between them by which its language is known. */
function wordsOf(table: string): Words {
  const lines = readFileSync(new URL(`../../dist/dictionary/${table}`, import.meta.url), 'utf8').split('\n');
  const isChinese = table.startsWith('zh');
  const words = lines.map((line) => line.split('\t')[0]!).filter((word) => /^(?:[a-z]{3,}|\p{Script=Han}{2,4})$/u.test(word));
  const between = isChinese ? ['的', '是', '在', '和'] : ['the', 'of', 'is', 'in'];
  return {
    text(count, seed) {
      let state = seed;
      const random = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const next = (i: number): string =>
        i % 3 === 2 ? between[i % 4]! : words[(Math.floor(Math.exp(random() * Math.log(20_000))) * 7919) % words.length]!;
      return Array.from({ length: count }, (_, i) => next(i)).join(isChinese ? '' : ' ');
    },
  };
}

async function fill(folder: string, chunks: number, languages: readonly Words[]): Promise<void> {
  const index = openSqliteIndex({ indexDir: folder, embedder: createBuiltinEmbedder() });
  for (let n = 0; n < chunks / documentChunks; n++) {
    const staged = join(folder, 'staged');
    await mkdir(staged, { recursive: true });
    const texts = Array.from({ length: documentChunks }, (_, i) => languages[n % languages.length]!.text(180, 1000 * n + i));
    const version = `0190a0b2-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
    await index.replace(await stageDocument(staged, { docId: `d${n}`, version, texts }), staged);
    await rm(staged, { recursive: true });
    while (index.tidy());
  }
  await index.close();
}
