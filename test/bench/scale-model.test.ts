import { expect, it } from 'vitest';
import { inputsFrom, planFor, readInputs } from './scale-model.ts';

const inputs = {
  measured: 'made up',
  filesDocumentMs: 50,
  frontDocumentMs: 5,
  workerDocumentMs: 30,
  databaseDocumentMs: 6,
  transactions: 6,
  submits: 300,
  chunks: 100_000,
  filesQuestionMs: 12,
  questionMs: 18,
  indexBytesPerChunk: 2000,
};

it('one box is enough while its cores are, then a database is, then neither', () => {
  const wanted = { documents: 5, questions: 5, chunks: 100_000, cores: 8 };
  expect(planFor(inputs, wanted).advice).toBe('one box');
  expect(planFor(inputs, { ...wanted, documents: 100 }).advice).toBe('PostgreSQL');
  expect(planFor(inputs, { ...wanted, documents: 300 }).advice).toBe('beyond');
  expect(planFor(inputs, { ...wanted, chunks: 20_000_000 }).advice).toBe('beyond');
});

it('what is needed grows with the load, and a question with the chunks', () => {
  const wanted = { documents: 60, questions: 10, chunks: 100_000, cores: 4 };
  const plan = planFor(inputs, wanted);
  // 60 a second × 30 ms, at a load of 0.6.
  expect(plan.workers).toBeCloseTo(3);
  expect(plan.frontEnds).toBeCloseTo(0.5 + 0.3);
  expect(plan.database).toBeCloseTo(0.6);
  expect(plan.connections).toBe(2 * 7);
  const larger = planFor(inputs, { ...wanted, chunks: 1_000_000 });
  expect(larger.frontEnds).toBeCloseTo(0.5 + 3);
  expect(larger.workers).toBe(plan.workers);
  expect(larger.indexBytes).toBe(10 * plan.indexBytes);
});

it('its inputs are figures of the benchmark, each of which has to be there', () => {
  const small = { 'CPU ms': 40, 'front end, ms': 4, 'workers, ms': 30, 'database, ms': 6, transactions: 5.5 };
  const rows = [
    { figure: 'submit/s, 8 at once', files: 600, PostgreSQL: 300 },
    { figure: 'hybrid search, p50 ms', files: 11, PostgreSQL: 18 },
    { figure: 'index, bytes a chunk', files: 1500, PostgreSQL: 2000 },
    { figure: 'a small document, files, 2 processes', 'CPU ms': 50 },
    { figure: 'a small document, PostgreSQL, 2 processes', ...small },
  ];
  expect(inputsFrom(rows, 2000, 'here')).toMatchObject({ filesDocumentMs: 50, workerDocumentMs: 30, submits: 300, questionMs: 18 });
  expect(() => inputsFrom(rows.slice(1), 2000, 'here')).toThrow('submit/s, 8 at once (PostgreSQL) was not measured');
  const recorded = readInputs();
  for (const [name, value] of Object.entries(recorded)) if (name !== 'measured') expect(value, name).toBeGreaterThan(0);
});
