/**
 * What stays with a document, from each way that it can come to each place where it is shown, on every engine. A member that is added
 * (`tasks/given.ts`) is asked for here by the compiler, and then found wherever it was forgotten.
 */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchLine, DocumentRecord } from '../../src/http/wire/schemas.ts';
import type { describedFields } from '../../src/http/wire/given.ts';
import { engines, type TestEngine } from '../support/engines.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { runCommand } from '../support/command.ts';

type Name = keyof typeof describedFields;
type Description = { readonly [Each in Name]: NonNullable<DocumentRecord[Each]> };
type Kept = { readonly [Each in Name]: DocumentRecord[Each] };

/** Two different ones, with everything said in both. */
const first: Description = { metadata: { team: 'puffin', year: 2024 } };
const second: Description = { metadata: { team: 'gannet' } };
const names = Object.keys(first) as Name[];
const nothing = Object.fromEntries(names.map((name) => [name, null])) as Kept;

/** As fields of an address or a form, and as options of the command. */
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const fieldsOf = (said: Description): [string, string][] => names.map((name) => [name, asText(said[name])]);

type Body = { readonly [name: string]: unknown };

describe.each(engines)('what is said of a document, on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    server = await startServer({ ...(await engine.newPlace()), env: {} });
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function ask(method: string, path: string, body?: FormData | string, type?: string): Promise<Body> {
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    expect(answer.ok, text).toBe(true);
    return JSON.parse(text) as Body;
  }

  const put = (docId: string, said: Description | null, text = `The ${docId} lays one egg.`): Promise<Body> => {
    const query = new URLSearchParams([['filename', `${docId}.txt`], ...(said === null ? [] : fieldsOf(said))]);
    return ask('PUT', `/documents/${docId}?${query.toString()}`, text, 'application/octet-stream');
  };

  async function batch(line: BatchLine): Promise<void> {
    const answer = await ask('POST', '/documents:batch', `${JSON.stringify(line)}\n`, 'application/x-ndjson');
    const task = await ask('GET', `/task/${String(answer['task_id'])}?wait=60`);
    expect(task).toMatchObject({ status: 'completed' });
  }

  /** The document, its task, both as lists have them, and the citation of its hit. */
  async function shown(docId: string): Promise<Body[]> {
    const document = await ask('GET', `/documents/${docId}`);
    const task = await ask('GET', `/task/${String(document['task_id'])}`);
    const { documents } = (await ask('GET', `/documents?q=${docId}`)) as { documents: Body[] };
    const { tasks } = (await ask('GET', `/tasks?doc_id=${docId}&limit=1`)) as { tasks: Body[] };
    const { hits } = (await ask('GET', `/search?q=${docId}&doc_id=${docId}`)) as { hits: { citation: Body }[] };
    expect([documents.length, tasks.length, hits.length]).toEqual([1, 1, 1]);
    return [document, task, documents[0]!, tasks[0]!, hits[0]!.citation];
  }

  async function expectShown(docId: string, said: Kept): Promise<void> {
    for (const place of await shown(docId)) expect(place).toMatchObject(said);
  }

  it('comes in an address, changes with the same bytes and with others, stays when it is not said, and goes', async () => {
    expect(await put('auk', first)).toMatchObject(first);
    await expectShown('auk', first);
    expect(await put('auk', second)).toMatchObject({ ...second, result: { unchanged: true } });
    await expectShown('auk', second);
    await put('auk', null);
    await expectShown('auk', second);
    await put('auk', null, 'The auk lays another egg.');
    await expectShown('auk', second);
    await put('auk', first, 'The auk lays a third egg.');
    await expectShown('auk', first);
    await batch({ doc_id: 'auk', text: 'The auk lays a third egg.', ...nothing });
    await expectShown('auk', nothing);
  });

  it('comes in a form and in a line of a batch', async () => {
    const form = new FormData();
    for (const [name, text] of fieldsOf(first)) form.append(name, text);
    form.append('file', new Blob(['The tern lays one egg.']), 'tern.txt');
    await ask('POST', '/insert?doc_id=tern', form);
    await expectShown('tern', first);
    await batch({ doc_id: 'gull', text: 'The gull lays one egg.', ...second });
    await expectShown('gull', second);
  });

  it('makes an upload with the same Idempotency-Key another one', async () => {
    const upload = async (said: Description): Promise<number> => {
      const headers = { 'idempotency-key': 'one', 'content-type': 'application/octet-stream' };
      const query = new URLSearchParams([['filename', 'x.txt'], ...fieldsOf(said)]);
      return (await fetch(`${server.url}/documents/skua?${query.toString()}`, { method: 'PUT', headers, body: 'The skua.' }))
        .status;
    };
    expect(await upload(first)).toBe(200);
    for (const name of names) expect(await upload({ ...first, [name]: second[name] })).toBe(422);
    expect(await upload(first)).toBe(200);
  });

  it('is described in OpenAPI wherever it may be given and is shown', async () => {
    const api = await ask('GET', '/openapi.json');
    const at = (...path: string[]): object => path.reduce((value, name) => value[name] as Body, api);
    const members = (schema: string, ...path: string[]): string[] =>
      Object.keys(at('components', 'schemas', schema, 'properties', ...path));
    const form = ['paths', '/insert', 'post', 'requestBody', 'content', 'multipart/form-data', 'schema', 'properties'];
    const parameters = at('paths', '/documents/{doc_id}', 'put', 'parameters') as { name: string }[];
    expect(Object.keys(at(...form))).toEqual(expect.arrayContaining(names));
    expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(members('SearchReply', 'hits', 'items', 'properties', 'citation', 'properties')).toEqual(expect.arrayContaining(names));
    for (const schema of ['Task', 'Document', 'BatchLine']) expect(members(schema)).toEqual(expect.arrayContaining(names));
  });

  it('is an option of the command', async () => {
    const folder = await makeDataDir();
    try {
      await writeFile(`${folder}/murre.txt`, 'The murre lays one egg.');
      for (const said of [first, second]) {
        const options = fieldsOf(said).flatMap(([name, text]) => [`--${name.replaceAll('_', '-')}`, text]);
        expect(await runCommand(['--url', server.url, 'ingest', `${folder}/murre.txt`, ...options])).toMatchObject({ code: 0 });
        await expectShown('murre.txt', said);
      }
    } finally {
      await removeDir(folder);
    }
  });
});
