/** What clients say of their documents, what they ask of them, and what they get, on every engine from one list (http-contract, second part). */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Place, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

type Said = { metadata: object | null; title: string | null; filename: string; doc_id: string };
type Task = Said & { status: string; result: { unchanged: boolean; metadata?: unknown } };

describe.each(engines)('on $name', ({ name, open }) => {
  let engine: TestEngine;
  let place: Place;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    place = await engine.newPlace();
    server = await startServer(place);
  });
  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  const call = async <T>(method: string, path: string, body?: string | FormData | object): Promise<T> => {
    const isJson = typeof body === 'object' && !(body instanceof FormData);
    const answer = await fetch(server.url + path, {
      method,
      ...(isJson ? { headers: { 'content-type': 'application/json' } } : {}),
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    });
    const value = (await answer.json()) as T;
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(value)}`);
    return value;
  };
  const asQuery = (metadata: unknown): string => `metadata=${encodeURIComponent(JSON.stringify(metadata))}`;
  const hitOf = async (docId: string, q: string): Promise<Said> =>
    (await call<{ hits: { citation: Said }[] }>('POST', '/search', { query: q, doc_ids: [docId] })).hits[0]!.citation;

  it('keeps metadata until it is replaced or cleared, and shows it in every hit, list and record', async () => {
    const form = new FormData();
    form.append('metadata', '{"source_url":"https://intranet/x","dept":["hr","it"]}');
    form.append('file', new File(['Paragraph one about holidays.'], 'm.txt'));
    const given = { source_url: 'https://intranet/x', dept: ['hr', 'it'] };

    expect((await call<Task>('POST', '/insert?doc_id=kept', form)).metadata).toEqual(given);
    expect((await call<Task>('PUT', '/documents/kept', 'Paragraph two about holidays.')).metadata).toEqual(given);
    expect((await hitOf('kept', 'holidays')).metadata).toEqual(given);
    expect(
      (await call<{ documents: Said[] }>('GET', '/documents')).documents.find((one) => one.doc_id === 'kept')!.metadata,
    ).toEqual(given);
    expect((await call<Task>('PUT', '/documents/kept?metadata=null', 'Paragraph three about holidays.')).metadata).toBeNull();
    expect((await call<Said>('GET', '/documents/kept')).metadata).toBeNull();
  });

  it('takes new metadata with the same bytes, and keeps the old with none', async () => {
    await call('PUT', `/documents/same?filename=same.txt&${asQuery({ a: 1 })}`, 'The same bytes each time.');

    const changed = await call<Task>('PUT', `/documents/same?filename=same.txt&${asQuery({ a: 2 })}`, 'The same bytes each time.');
    const silent = await call<Task>('PUT', '/documents/same?filename=other.txt', 'The same bytes each time.');

    expect([changed, silent].map(({ result, metadata }) => [result.unchanged, metadata])).toEqual([
      [true, { a: 2 }],
      [true, { a: 2 }],
    ]);
    expect(await call('GET', '/documents/same')).toMatchObject({ metadata: { a: 2 }, filename: 'other.txt' });
  });

  it('changes a document without reading it again, and what reads it again keeps the change', async () => {
    await call('PUT', `/documents/changed?filename=c.txt&${asQuery({ a: 1, b: 2 })}`, 'Text about dormice.');
    const before = await call<Said & { task_id: string }>('GET', '/documents/changed');

    const after = await call<Said & { task_id: string }>('PATCH', '/documents/changed', {
      metadata: { a: null, c: true },
      title: '睡鼠',
      filename: '睡鼠.txt',
    });

    expect(after).toEqual({ ...before, metadata: { b: 2, c: true }, title: '睡鼠', filename: '睡鼠.txt' });
    expect(await hitOf('changed', 'dormice')).toMatchObject({ metadata: { b: 2, c: true }, title: '睡鼠', filename: '睡鼠.txt' });
    expect(await call('PUT', '/documents/changed?filename=d.txt', 'Other text about dormice.')).toMatchObject({
      metadata: { b: 2, c: true },
    });
    expect(await call('GET', '/documents/changed')).toMatchObject({
      metadata: { b: 2, c: true },
      title: '睡鼠',
      filename: 'd.txt',
    });
  });

  it('knows all of it after a restart, and where the index lies in a file, after that was lost', async () => {
    await call('PUT', `/documents/lasting?${asQuery({ a: 1 })}`, 'Text about marmots.');
    await call('PUT', '/documents/lasting', 'More text about marmots.');
    const said = await call<Said>('PATCH', '/documents/lasting', { metadata: { b: 2 }, title: 'Marmots' });
    await server.stop();
    if (name === 'files' || name === 'Redis') await rm(join(place.dataDir, 'index'), { recursive: true });
    server = await startServer(place);

    await until('the document is there again', async () => (await fetch(`${server.url}/documents/lasting`)).status === 200);
    expect(await call('GET', '/documents/lasting')).toMatchObject({ ...said, metadata: { a: 1, b: 2 } });
    expect(await hitOf('lasting', 'marmots')).toMatchObject({ metadata: { a: 1, b: 2 }, title: 'Marmots' });
  });
});
