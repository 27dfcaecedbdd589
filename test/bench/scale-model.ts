/**
 * What a deployment needs: `npm run scale -- [--documents N] [--questions N] [--chunks N] [--cores N]`, small documents and questions a second,
 * chunks kept, and the cores of one machine. Its inputs are what `npm run bench -- engines --inputs FILE` measured, docs/benchmarks/scale.json
 * unless `--inputs` names another file. docs/scale.md says what it leaves out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Row } from './bench.ts';

/** Measured, of one machine. Processor milliseconds each. */
export type ScaleInputs = {
  readonly measured: string;
  readonly filesDocumentMs: number;
  readonly frontDocumentMs: number;
  readonly workerDocumentMs: number;
  readonly databaseDocumentMs: number;
  readonly transactions: number;
  /** Uploads a second that one database took from one process. */
  readonly submits: number;
  /** A hybrid question among `chunks`. */
  readonly chunks: number;
  readonly filesQuestionMs: number;
  readonly questionMs: number;
  readonly indexBytesPerChunk: number;
};

export type Wanted = {
  /** Small documents, and questions, a second. */
  readonly documents: number;
  readonly questions: number;
  readonly chunks: number;
  /** Of one machine. */
  readonly cores: number;
};

export type Plan = {
  /** Cores in use at this load, by role. */
  readonly box: number;
  readonly frontEnds: number;
  readonly workers: number;
  readonly database: number;
  /** Share of the uploads a second that one database took. */
  readonly commitShare: number;
  readonly indexBytes: number;
  readonly connections: number;
  readonly advice: 'one box' | 'PostgreSQL' | 'beyond';
};

/** What is planned for: more would leave no room for a burst. */
const load = 0.6;
const connectionsAProcess = 7;
/** A process asks one question at a time. */
const coresAFrontEnd = 1;
/** Tested here up to a tenth of it; beyond it a question costs a front end more than a second of a core. */
const chunksMax = 10_000_000;

/** Documents and questions cost what they were measured to; a question grows with the chunks from the measured size on, and not below it. */
export function planFor(inputs: ScaleInputs, wanted: Wanted): Plan {
  const growth = Math.max(1, wanted.chunks / inputs.chunks);
  const coresFor = (aSecond: number, ms: number): number => (aSecond * ms) / 1000 / load;
  const box = coresFor(wanted.documents, inputs.filesDocumentMs) + coresFor(wanted.questions, inputs.filesQuestionMs * growth);
  const frontEnds = coresFor(wanted.documents, inputs.frontDocumentMs) + coresFor(wanted.questions, inputs.questionMs * growth);
  const workers = coresFor(wanted.documents, inputs.workerDocumentMs);
  const database = coresFor(wanted.documents, inputs.databaseDocumentMs);
  const commitShare = wanted.documents / (inputs.submits * load);
  const processes = Math.ceil(frontEnds / coresAFrontEnd) + Math.max(1, Math.ceil(workers / Math.min(4, wanted.cores)));
  const fitsOne = box <= wanted.cores;
  const fitsDatabase = wanted.chunks <= chunksMax && commitShare <= 1;
  return {
    box,
    frontEnds,
    workers,
    database,
    commitShare,
    indexBytes: wanted.chunks * inputs.indexBytesPerChunk,
    connections: processes * connectionsAProcess,
    advice: fitsOne && wanted.chunks <= chunksMax ? 'one box' : fitsDatabase ? 'PostgreSQL' : 'beyond',
  };
}

/** From the rows that `engines` prints. @throws Error naming a figure that is missing. */
export function inputsFrom(rows: readonly Row[], chunks: number, measured: string): ScaleInputs {
  const figure = (name: string, column: string): number => {
    const value = rows.find((row) => row['figure'] === name)?.[column];
    if (typeof value !== 'number') throw new Error(`${name} (${column}) was not measured`);
    return value;
  };
  const small = 'a small document, PostgreSQL, 2 processes';
  return {
    measured,
    filesDocumentMs: figure('a small document, files, 2 processes', 'CPU ms'),
    frontDocumentMs: figure(small, 'front end, ms'),
    workerDocumentMs: figure(small, 'workers, ms'),
    databaseDocumentMs: figure(small, 'database, ms'),
    transactions: figure(small, 'transactions'),
    submits: figure('submit/s, 8 at once', 'PostgreSQL'),
    chunks,
    filesQuestionMs: figure('hybrid search, p50 ms', 'files'),
    questionMs: figure('hybrid search, p50 ms', 'PostgreSQL'),
    indexBytesPerChunk: figure('index, bytes a chunk', 'PostgreSQL'),
  };
}

const recorded = new URL('../../docs/benchmarks/scale.json', import.meta.url);

export function readInputs(file: URL | string = recorded): ScaleInputs {
  return JSON.parse(readFileSync(file, 'utf8')) as ScaleInputs;
}

export function writeInputs(file: string, inputs: ScaleInputs): void {
  writeFileSync(file, `${JSON.stringify(inputs, null, 2)}\n`);
}

function tableOf({ box, frontEnds, workers, database, commitShare, indexBytes, connections, advice }: Plan): Row[] {
  const cores = (count: number): string => `${count.toFixed(1)} cores`;
  return [
    { what: 'one box with files', needs: cores(box) },
    { what: 'front ends', needs: cores(frontEnds) },
    { what: 'workers', needs: cores(workers) },
    { what: 'database', needs: cores(database) },
    { what: 'uploads, of what one database takes', needs: `${Math.round(commitShare * 100)} %` },
    { what: 'index', needs: `${(indexBytes / 2 ** 30).toFixed(1)} GiB` },
    { what: 'connections', needs: connections },
    { what: 'advice', needs: advice },
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      documents: { type: 'string', default: '5' },
      questions: { type: 'string', default: '5' },
      chunks: { type: 'string', default: '1000000' },
      cores: { type: 'string', default: '8' },
      inputs: { type: 'string' },
    },
  });
  const inputs = readInputs(values.inputs ?? recorded);
  const wanted = {
    documents: Number(values.documents),
    questions: Number(values.questions),
    chunks: Number(values.chunks),
    cores: Number(values.cores),
  };
  console.log(`${inputs.measured}; processors loaded to ${load * 100} %`);
  console.table(tableOf(planFor(inputs, wanted)));
}
