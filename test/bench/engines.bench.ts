/**
 * The engines side by side: `npm run bench -- engines [--tasks N] [--chunks N] [--documents N] [--inputs FILE]`, 100,000 of the first two by default (some minutes). All are
 * measured in turns, so that the noise is shared, with PostgreSQL and Redis servers of its own that flush every commit. Front end
 * and worker of each engine are in this one process; documents are of 20 chunks, questions of 2 to 8 words, as common as words are. `--inputs` keeps there what `npm run scale` reads.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { SearchAnswer, SearchMode } from '../../src/search/document-index.ts';
import { beginNext, completedOutcome, upload } from '../support/engine-steps.ts';
import type { Bench, Row } from './bench.ts';
import { barsOf } from './record.ts';
import { documentChunks, type EngineName, type Filled, type FilledEngine, openFilledEngines } from './filled-engines.ts';
import { createText, question } from './made-text.ts';
import { percentile, round } from './process-figures.ts';
import { inputsFrom, writeInputs } from './scale-model.ts';
import { smallCosts } from './small-costs.ts';

const rounds = 4;
const uploadsARound = 250;
const uploadsAtOnce = 8;
/** As many as a worker process has threads at most. */
const claimsAtOnce = 4;
const claimsCount = 100;
const listsCount = 60;
const questionsCount = 100;

/** One figure of every engine. */
type Figures = { readonly figure: string; readonly values: ReadonlyMap<EngineName, number> };

export const bench: Bench = {
  title: 'each engine beside the others, and its figure as a multiple of the one with files',
  argsAmongAll: ['--tasks', '10000', '--chunks', '5000', '--documents', '200'],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        tasks: { type: 'string', default: '100000' },
        chunks: { type: 'string', default: '100000' },
        documents: { type: 'string', default: '1000' },
        inputs: { type: 'string' },
      },
    });
    const size = { tasks: Number(values.tasks), chunks: Number(values.chunks) };
    await using stack = new AsyncDisposableStack();
    const filled = await openFilledEngines(stack, size, say);
    const { engines } = filled;
    const figures = [
      ...indexing(filled, size.chunks),
      ...(await lists(engines, `list newest 50 of ${size.tasks} ended, p50 ms`)),
      ...(await submits(engines)),
      ...(await lists(engines, `the same, ${rounds * uploadsARound} more waiting, p50 ms`)),
      ...(await drains(engines)),
      ...(await claims(engines)),
      ...(await searches(engines)),
      await indexBytes(engines, size.chunks),
    ];
    const rows = [...figures.map(toRow), ...(await smallCosts(Number(values.documents), say))];
    const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, engines ${args.join(' ')}`;
    if (values.inputs !== undefined) writeInputs(values.inputs, inputsFrom(rows, size.chunks, machine));
    return rows;
  },
  chart: (rows) =>
    barsOf(rows, (row) => String(row['figure']), ['files', 'PostgreSQL', 'Redis', 'Redis + PostgreSQL'], {
      title: 'The engines side by side',
      unit: 'ms, or a second',
      logarithmic: true,
    }),
};

function say(progress: string): void {
  console.error(`  ${progress}`);
}

function indexing({ indexingMs }: Filled, chunks: number): Figures[] {
  const rate = (ms: number): number => (Math.ceil(chunks / documentChunks) * documentChunks * 1000) / ms;
  const [files, tables] = [rate(indexingMs.files), rate(indexingMs.PostgreSQL)];
  const values = new Map<EngineName, number>([
    ['files', files],
    ['PostgreSQL', tables],
    ['Redis', files],
    ['Redis + PostgreSQL', tables],
  ]);
  return [{ figure: 'indexing, chunks/s', values }];
}

async function lists(engines: readonly FilledEngine[], figure: string): Promise<Figures[]> {
  say(figure);
  const times = await inTurns(engines, listsCount, ({ front }) => timed(() => front.tasks.list({ limit: 50 })));
  return [at(figure, times, 0.5)];
}

async function submits(engines: readonly FilledEngine[]): Promise<Figures[]> {
  say('uploads');
  const times = await inTurns(engines, rounds, ({ front }) =>
    timed(() => atOnce(uploadsAtOnce, uploadsARound, () => upload(front, 'x'))),
  );
  return [perSecond(`submit/s, ${uploadsAtOnce} at once`, times, uploadsARound)];
}

async function drains(engines: readonly FilledEngine[]): Promise<Figures[]> {
  say('the same tasks claimed, begun, finished and acknowledged');
  const times = await inTurns(engines, rounds, (engine) => timed(() => atOnce(claimsAtOnce, uploadsARound, () => runNext(engine))));
  return [perSecond(`drain/s, ${claimsAtOnce} at once`, times, uploadsARound)];
}

/** Ends it as a worker does, with nothing to settle. Returns when it was begun. */
async function runNext({ worker }: FilledEngine): Promise<number> {
  const { lease, task } = await beginNext(worker);
  const begunAt = performance.now();
  await worker.transaction(async () => {
    await worker.tasks.finish(task.id, task.attempts, completedOutcome(task));
    await lease.ack();
  });
  return begunAt;
}

/** Nothing else waits, and the worker waits for something. */
async function claims(engines: readonly FilledEngine[]): Promise<Figures[]> {
  say('claims of idle workers');
  const whole: Times = new Map(engines.map(({ name }) => [name, []]));
  const times = await inTurns(engines, claimsCount, async (engine) => {
    const run = runNext(engine);
    const startedAt = performance.now();
    await upload(engine.front, 'x');
    const acknowledgedAt = performance.now();
    const begunAt = await run;
    whole.get(engine.name)!.push(begunAt - startedAt);
    return Math.max(0, begunAt - acknowledgedAt);
  });
  return [
    at('acknowledged → begun, p50 ms', times, 0.5),
    at('acknowledged → begun, p99 ms', times, 0.99),
    at('upload starts → begun, p50 ms', whole, 0.5),
    at('upload starts → begun, p99 ms', whole, 0.99),
  ];
}

async function searches(engines: readonly FilledEngine[]): Promise<Figures[]> {
  say('searches');
  const figures = [at('first search, ms', await inTurns(engines, 1, (engine) => timed(() => find(engine, 'hybrid', 0))), 0.5)];
  // Both threads of a front end read the index once before more is measured, as a server's do with its first questions.
  await inTurns(engines, 1, (engine) => timed(() => atOnce(8, 20, (number) => find(engine, 'hybrid', number))));
  const reference: string[] = [];
  const same: Times = new Map(engines.map(({ name }) => [name, []]));
  for (const mode of ['keyword', 'hybrid'] as const) {
    const times = await inTurns(engines, questionsCount, async (engine, number) => {
      const before = performance.now();
      const answer = await find(engine, mode, number);
      const ms = performance.now() - before;
      if (engine === engines[0]) reference[number] = essence(answer);
      same.get(engine.name)!.push(reference[number] === essence(answer) ? 1 : 0);
      return ms;
    });
    figures.push(at(`${mode} search, p50 ms`, times, 0.5), at(`${mode} search, p99 ms`, times, 0.99));
  }
  const crowd = await inTurns(engines, 1, (engine) =>
    timed(() => atOnce(8, questionsCount, (number) => find(engine, 'hybrid', number))),
  );
  const answered = new Map([...same].map(([name, each]) => [name, each.reduce((a, b) => a + b, 0) / each.length]));
  return [
    ...figures,
    perSecond('hybrid searches/s, 8 at once', crowd, questionsCount),
    { figure: 'answers as with files', values: answered },
  ];
}

async function indexBytes(engines: readonly FilledEngine[], chunks: number): Promise<Figures> {
  const values = new Map<EngineName, number>();
  for (const { name, front } of engines) values.set(name, (await front.index.stats()).bytes / chunks);
  return { figure: 'index, bytes a chunk', values };
}

function find({ front }: FilledEngine, mode: SearchMode, number: number): Promise<SearchAnswer> {
  return front.index.search({ query: questions[number]!, mode, topK: 10, offset: 0, filter: {} });
}

const text = createText(11);
const questions = Array.from({ length: questionsCount }, (_, number) => question(text, number));

function essence({ hits, total }: SearchAnswer): string {
  return JSON.stringify([total, hits.map(({ docId, text: found }) => [docId, found])]);
}

type Times = Map<EngineName, number[]>;

async function inTurns(
  engines: readonly FilledEngine[],
  count: number,
  work: (engine: FilledEngine, number: number) => Promise<number>,
): Promise<Times> {
  const times: Times = new Map(engines.map(({ name }) => [name, []]));
  for (let number = 0; number < count; number += 1) {
    for (const engine of engines) times.get(engine.name)!.push(await work(engine, number));
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

async function atOnce(callers: number, count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const call = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: callers }, call));
}

function at(figure: string, times: Times, share: number): Figures {
  return { figure, values: new Map([...times].map(([name, each]) => [name, percentile(each, share)])) };
}

/** By the median round, of so many each. */
function perSecond(figure: string, times: Times, count: number): Figures {
  return { figure, values: new Map([...times].map(([name, each]) => [name, (count * 1000) / percentile(each, 0.5)])) };
}

function toRow({ figure, values }: Figures): Row {
  const files = values.get('files')!;
  const cells = [...values].flatMap(([name, value]): [string, number][] =>
    name === 'files'
      ? [[name, round(value)]]
      : [
          [name, round(value)],
          [`÷ files (${name})`, round(value / files)],
        ],
  );
  return { figure, ...Object.fromEntries(cells) };
}
