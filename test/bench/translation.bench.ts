/**
 * What the dictionary costs: `npm run bench -- translation [CHUNKS] [ROUNDS]`. Two indexes of words of the dictionary, as common as words are: one in
 * English, one with as much Chinese beside it. Processes with the dictionary, without, and of version 0.1.0 take turns; medians of their figures,
 * and ratios of each round's. Version 0.1.0 is asked in the language of the texts, since it finds nothing for the other.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskId } from '../../src/tasks/task.ts';
import { buildDictionary } from '../../scripts/build-dictionary.ts';
import { stageDocument } from '../support/staged-document.ts';
import type { Bench, Row } from './bench.ts';
import { percentile, round } from './process-figures.ts';
import { checkOut } from '../crash/rolling.ts';
import type { Asked } from './translation-asker.ts';
import { openProgram } from './translation-program.ts';

const present = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const questionsCount = 100;
const documentChunks = 20;

export const bench: Bench = {
  title:
    'ms and ms of CPU a question, MB of a process after its questions and those that it holds, without the dictionary and with it, and beside version 0.1.0',
  argsAmongAll: ['1200', '3'],
  async run([chunks = '4000', rounds = '3']) {
    const folder = await mkdtemp(join(tmpdir(), 'translation-bench-'));
    try {
      await buildDictionary();
      const [english, chinese] = [wordsOf('en-zh.tsv'), wordsOf('zh-en.tsv')];
      const own = Array.from({ length: questionsCount }, (_, i) => english.text(5 + (i % 5), 10_000 + i));
      const other = Array.from({ length: questionsCount }, (_, i) => chinese.text(5 + (i % 5), 20_000 + i));
      const before = checkOut(folder);
      const rows: Row[] = [];
      for (const [what, languages] of [
        ['English alone', [english]],
        ['both', [english, chinese]],
      ] as const) {
        const places = { now: join(folder, what), before: join(folder, `${what} before`) };
        await fill(present, places.now, Number(chunks), languages);
        await fill(before, places.before, Number(chunks), languages);
        const asked = (set: readonly string[], oldSet: readonly string[]): Askers => ({
          off: () => ask(present, places.now, 'off', set),
          on: () => ask(present, places.now, 'on', set),
          before: () => ask(before, places.before, 'off', oldSet),
        });
        rows.push(await compared(`English asked of ${what}`, asked(own, own), Number(rounds)));
        rows.push(await compared(`Chinese asked of ${what}`, asked(other, what === 'both' ? other : own), Number(rounds)));
      }
      return rows;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Askers = Readonly<Record<'off' | 'on' | 'before', () => Promise<Asked>>>;

async function compared(what: string, askers: Askers, rounds: number): Promise<Row> {
  const all: Record<keyof Askers, Asked[]> = { off: [], on: [], before: [] };
  for (let i = 0; i < rounds; i++) for (const who of ['off', 'on', 'before'] as const) all[who].push(await askers[who]());
  const median = (who: keyof Askers, of: keyof Asked) => middle(all[who].map((each) => each[of]));
  const ratio = (of: 'p50' | 'cpu', to: keyof Askers) => round(middle(all.on.map((each, i) => each[of] / all[to][i]![of])));
  return {
    what,
    'p50 off': round(median('off', 'p50')),
    'p50 on': round(median('on', 'p50')),
    'p50 ratio': ratio('p50', 'off'),
    'CPU ratio': ratio('cpu', 'off'),
    'p50 ÷ 0.1.0': ratio('p50', 'before'),
    'CPU ÷ 0.1.0': ratio('cpu', 'before'),
    'MB more': round((median('on', 'bytes') - median('off', 'bytes')) / 1e6),
    'MB more held': round((median('on', 'held') - median('off', 'held')) / 1e6),
  };
}

function middle(figures: readonly number[]): number {
  return percentile(figures, 0.5);
}

async function ask(main: string, folder: string, translates: 'on' | 'off', questions: readonly string[]): Promise<Asked> {
  const child = fork(new URL('translation-asker.ts', import.meta.url), [main, folder, translates, JSON.stringify(questions)], {
    execArgv: ['--expose-gc'],
  });
  const [figures] = (await once(child, 'message')) as [Asked[]];
  if (child.exitCode === null) await once(child, 'exit');
  return figures.at(-1)!;
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

async function fill(main: string, folder: string, chunks: number, languages: readonly Words[]): Promise<void> {
  const index = await openProgram(main, folder, false);
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
