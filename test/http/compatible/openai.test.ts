/** OpenAI's files and vector stores, with OpenAI's own client library. */
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';

const keys = { admin: 'admin-key-0123456789', writer: 'write-key-0123456789', hr: 'hr-key-01234567890' };
let server: TestServer;
let admin: OpenAI;

beforeAll(async () => {
  server = await startServer({
    dataDir: await makeDataDir(),
    env: { API_KEYS: `admin:admin:${keys.admin},writer:write:${keys.writer},hr:write@hr:${keys.hr}` },
  });
  admin = client(keys.admin);
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe("OpenAI's client", () => {
  it('uploads a file into a vector store, waits for it, and finds a passage of it', async () => {
    const store = await admin.vectorStores.create({ name: '设备手册' });
    const file = await toFile(
      Buffer.from('# 离心泵\n\n离心泵启动前必须排气。\n\nThe centrifugal pump must be vented before start.'),
      '手册.md',
    );

    const attached = await admin.vectorStores.files.uploadAndPoll(store.id, file, { pollIntervalMs: 50 });
    const page = await admin.vectorStores.search(store.id, { query: '离心泵 排气', max_num_results: 5 });
    const described = await admin.vectorStores.retrieve(store.id);

    expect(store).toMatchObject({ object: 'vector_store', name: '设备手册', status: 'completed' });
    expect(attached).toMatchObject({ status: 'completed', vector_store_id: store.id, last_error: null });
    expect(page.data[0]).toMatchObject({ file_id: attached.id, filename: '手册.md' });
    expect(page.data[0]!.content[0]!.text).toContain('必须排气');
    expect(page.data[0]!.score).toBeGreaterThan(0.3);
    expect(described.file_counts).toMatchObject({ completed: 1, in_progress: 0 });
  });

  it('gives a file attributes, filters by them, changes them and detaches the file', async () => {
    const store = await admin.vectorStores.create({ name: 'filters' });
    for (const year of [2023, 2024]) {
      const file = await admin.files.create({
        file: await toFile(Buffer.from(`annual report of the pumps ${year}`), `${year}.txt`),
        purpose: 'assistants',
      });
      await admin.vectorStores.files.create(store.id, { file_id: file.id, attributes: { year } });
      await admin.vectorStores.files.poll(store.id, file.id, { pollIntervalMs: 50 });
    }
    const filters = { type: 'gte' as const, key: 'year', value: 2024 };
    const found = await admin.vectorStores.search(store.id, { query: 'annual report', filters });

    expect(found.data.map(({ filename, attributes }) => [filename, attributes])).toEqual([['2024.txt', { year: 2024 }]]);
    const id = found.data[0]!.file_id;
    const changed = await admin.vectorStores.files.update(id, {
      vector_store_id: store.id,
      attributes: { year: 2020, draft: true },
    });
    expect(changed.attributes).toEqual({ year: 2020, draft: true });
    expect((await admin.vectorStores.search(store.id, { query: 'annual report', filters })).data).toEqual([]);

    const content = await admin.vectorStores.files.content(id, { vector_store_id: store.id });
    expect(content.data[0]).toMatchObject({ type: 'text', text: expect.stringContaining('2024') as string });
    const listed = await admin.vectorStores.files.list(store.id, { limit: 1 });
    expect([listed.data.length, listed.has_more]).toEqual([1, true]);
    expect(await admin.vectorStores.files.delete(id, { vector_store_id: store.id })).toMatchObject({ id, deleted: true });
    expect((await admin.vectorStores.files.list(store.id)).data.map((file) => file.id)).not.toContain(id);
  });

  it('says of a file that cannot be read why', async () => {
    const store = await admin.vectorStores.create({ name: 'failures' });
    const file = await toFile(Buffer.from([0, 1, 2, 3, 255, 254, 0]), 'odd.xyz');

    const attached = await admin.vectorStores.files.uploadAndPoll(store.id, file, { pollIntervalMs: 50 });

    expect(attached).toMatchObject({
      status: 'failed',
      last_error: { code: 'unsupported_file', message: 'Unsupported file format: odd.xyz' },
    });
  });

  it('lists, shows, reads and deletes files', async () => {
    const file = await admin.files.create({
      file: await toFile(Buffer.from('plain text of the file'), '说明.txt'),
      purpose: 'user_data',
    });
    await admin.files.waitForProcessing(file.id, { pollInterval: 50 });

    expect(file).toMatchObject({ object: 'file', filename: '说明.txt', purpose: 'user_data', bytes: 22 });
    expect(await admin.files.retrieve(file.id)).toMatchObject({ status: 'processed' });
    expect(await (await admin.files.content(file.id)).text()).toBe('plain text of the file');
    expect((await admin.files.list({ purpose: 'user_data' })).data.map(({ id }) => id)).toEqual([file.id]);
    expect(await admin.files.delete(file.id)).toMatchObject({ id: file.id, deleted: true });
    await expect(admin.files.retrieve(file.id)).rejects.toThrow(NotFoundError);
  });

  it('removes a vector store with everything in it', async () => {
    const store = await admin.vectorStores.create({ name: 'short-lived' });
    expect(await admin.vectorStores.update(store.id, { name: 'renamed' })).toMatchObject({ name: 'renamed' });
    expect((await admin.vectorStores.list()).data.map(({ id }) => id)).toContain(store.id);

    expect(await admin.vectorStores.delete(store.id)).toMatchObject({ deleted: true });
    await expect(admin.vectorStores.retrieve(store.id)).rejects.toThrow(NotFoundError);
  });

  it('is found once by a search in all collections, and in the files by their name', async () => {
    const store = await admin.vectorStores.create({ name: 'once' });
    const file = await toFile(Buffer.from('The kittiwake is found once.'), 'kittiwake.txt');
    await admin.vectorStores.files.uploadAndPoll(store.id, file, { pollIntervalMs: 50 });
    const search = async (collections: string[]): Promise<string[]> => {
      const response = await fetch(`${server.url}/search`, {
        method: 'POST',
        body: JSON.stringify({ query: 'kittiwake', collections }),
        headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' },
      });
      const { hits } = (await response.json()) as { hits: { citation: { collection: string } }[] };
      return hits.map(({ citation }) => citation.collection);
    };

    expect(await search(['*'])).toEqual([store.id]);
    expect(await search(['openai-files'])).toEqual(['openai-files']);
    await admin.vectorStores.delete(store.id);
  });

  it('gets errors in the shape that it reads', async () => {
    await expect(client('wrong-key-0123456789').vectorStores.list()).rejects.toThrow(AuthenticationError);
    await expect(admin.vectorStores.retrieve('nowhere')).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('nowhere') as string,
    });
    await expect(admin.vectorStores.create({ name: 'x', metadata: { a: 'b' } })).rejects.toThrow(BadRequestError);
    await expect(admin.files.retrieve('file-nowhere')).rejects.toThrow(NotFoundError);
  });

  it("with a key bound to a collection uses that one, and sees nobody else's files or stores", async () => {
    const made = await fetch(`${server.url}/collections/hr`, {
      method: 'PUT',
      body: '{}',
      headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' },
    });
    expect(made.status).toBe(201);
    const hr = client(keys.hr);
    const theirs = await admin.files.create({ file: await toFile(Buffer.from('not for hr'), 'secret.txt'), purpose: 'assistants' });

    const attached = await hr.vectorStores.files.uploadAndPoll(
      'hr',
      await toFile(Buffer.from('holiday rules of hr'), 'rules.txt'),
      { pollIntervalMs: 50 },
    );
    expect(attached.status).toBe('completed');
    expect((await hr.vectorStores.search('hr', { query: 'holiday' })).data[0]!.filename).toBe('rules.txt');
    expect((await hr.vectorStores.list()).data.map(({ id }) => id)).toEqual(['hr']);
    await expect(hr.files.retrieve(theirs.id)).rejects.toThrow(NotFoundError);
    expect((await hr.files.list()).data.map(({ filename }) => filename)).toEqual(['rules.txt']);
    await expect(hr.vectorStores.search('openai-files', { query: 'holiday' })).rejects.toThrow(NotFoundError);
    await expect(client(keys.writer).files.retrieve(theirs.id)).rejects.toThrow(NotFoundError);
  });
});

function client(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
}
