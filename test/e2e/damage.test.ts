/** Damage at rest, on every engine: found and mended by a server that runs, and by the doctor. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { documentFolder } from '../../src/storage/file-store.ts';
import type { DocumentPart } from '../../src/documents/document-part.ts';
import type { ObjectStore } from '../../src/storage/objects/object-store.ts';
import { runCommand } from '../support/command.ts';
import { enginesCombined, type Place, type TestEngine } from '../support/engines.ts';
import { ask } from '../support/postgres.ts';
import { json, type ModelServer, startModelServer, subjectVector } from '../support/model-server.ts';
import { insert, search, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

describe.each(enginesCombined.filter(({ name }) => name !== 'Redis'))('$name', ({ name, open }) => {
  let engine: TestEngine;
  let model: ModelServer;
  beforeAll(async () => {
    engine = await open();
    model = await startModelServer(({ body }, response) =>
      json(response, { data: (body['input'] as string[]).map((text, index) => ({ index, embedding: subjectVector(text) })) }),
    );
  });
  afterAll(async () => {
    await model.close();
    await engine[Symbol.asyncDispose]();
  });

  it('a server makes again what was cut, reads again what it reads otherwise, and tells of what it cannot mend', async () => {
    const place = await engine.newPlace();
    const server = await startServer({ ...place, env: { CHECK_EVERY_MINUTES: '0.01' } });
    try {
      const before = await fill(server, ['cut', 'changed', 'older', 'sound']);
      await damage(place, 'cut', 'content.md', (bytes) => bytes.subarray(0, 3));
      await damage(place, 'changed', 'original', () => Buffer.from('other bytes'));
      await asReadOtherwise(place, 'older');

      const status = async () => (await (await fetch(`${server.url}/status`)).json()) as Record<string, number>;
      await until('all are found', async () => {
        const { documents_damaged, documents_mended } = await status();
        return documents_damaged === 1 && documents_mended === 2;
      });
      await until('it is read again', async () => (await content(server, 'older')) === before.get('older'));

      expect(await content(server, 'cut')).toBe(before.get('cut'));
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toMatch(/^rag_documents_damaged 1$/m);
      expect(metrics).toMatch(/^rag_documents_mended_total 2$/m);
      expect(server.log()).toContain(
        '"docId":"cut","what":"content.md changed","msg":"a stored document was damaged and has been repaired"',
      );
      expect(server.log()).toContain('"docId":"changed","what":"original changed"');
    } finally {
      await server.stop();
    }
  });

  // On files: test/cli/doctor-repair.test.ts.
  if (name === 'PostgreSQL' || name === 'PostgreSQL and S3')
    it('the doctor finds every part that was cut, changed or lost, and mends what can be mended', async () => {
      const place = withVectors(await engine.newPlace(), model);
      const server = await startServer({ ...place, env: { CHECK_EVERY_MINUTES: '0' } });
      const names = ['content', 'chunks', 'vectors', 'meta', 'original', 'older', 'sound'];
      const before = await fill(server, names);
      await server.stop();
      await damage(place, 'content', 'content.md', () => null);
      await damage(place, 'chunks', 'chunks.ndjson', (bytes) => Buffer.concat([bytes, bytes]));
      await damage(place, 'vectors', 'vectors.bin', (bytes) => bytes.map((byte) => byte ^ 1));
      await damage(place, 'meta', 'meta.json', () => Buffer.alloc(0));
      await damage(place, 'original', 'original', (bytes) => bytes.subarray(1));
      await asReadOtherwise(place, 'older');

      expect(await doctor(place)).toContain('6 of 7 documents');
      const mended = await doctor(place, '--repair');
      expect(mended).toContain('1 of 7 documents');
      expect(mended).toContain('"original" (original changed)');
      expect(mended).toContain('4 were damaged and have been repaired. 1 were damaged and have been read again');

      const again = await startServer({ ...place, env: { CHECK_EVERY_MINUTES: '0' } });
      try {
        for (const name of names) {
          expect(await content(again, name), name).toBe(before.get(name));
          expect((await search(again.url, `text of ${name}`, { doc_ids: [name] })).length, name).toBeGreaterThan(0);
        }
        // Replaced and removed like any other: nothing of it stays.
        await insert(again.url, 'content', { name: 'a.txt', bytes: 'Other words.' });
        expect(await content(again, 'content')).toContain('Other words.');
        expect((await fetch(`${again.url}/documents/older`, { method: 'DELETE' })).status).toBe(200);
      } finally {
        await again.stop();
      }
      expect(await doctor(place)).toContain('1 of 6 documents');
    });
});

function withVectors(place: Place, { url }: ModelServer): Place {
  const settings = { EMBEDDINGS_URL: `${url}/v1/embeddings`, EMBEDDINGS_MODEL: 'subjects', EMBEDDINGS_DIMENSIONS: '8' };
  return { ...place, engineEnv: { ...place.engineEnv, EMBEDDER: 'openai', ...settings } };
}

async function fill(server: TestServer, names: readonly string[]): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const docId of names) {
    await insert(server.url, docId, { name: 'a.txt', bytes: `The text of ${docId}, about pumps. 关于水泵。` });
    contents.set(docId, await content(server, docId));
  }
  return contents;
}

async function content({ url }: TestServer, docId: string): Promise<string> {
  return (await fetch(`${url}/documents/${docId}/content`)).text();
}

async function doctor({ dataDir, engineEnv }: Place, ...args: string[]): Promise<string> {
  const env = { PORT: '0', ...engineEnv };
  const { stdout } = await runCommand(['--json', 'doctor', '--data-dir', dataDir, ...args], env);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; sentence: string }[] };
  return checks.find(({ name }) => name === 'documents')!.sentence;
}

/** As a program that reads it otherwise would have left it, and damaged since. */
async function asReadOtherwise(place: Place, docId: string): Promise<void> {
  const sha256 = createHash('sha256').update('another text').digest('hex');
  await damage(place, docId, 'content.md', () => Buffer.from('no text'));
  await damage(place, docId, 'meta.json', (bytes) => {
    const meta = JSON.parse(bytes.toString()) as { parts: object };
    return Buffer.from(JSON.stringify({ ...meta, parts: { ...meta.parts, 'content.md': { bytes: 12, sha256 } } }));
  });
}

/** Where it is stored, whatever the engine; null: it is gone. */
async function damage(place: Place, docId: string, part: DocumentPart, change: (bytes: Uint8Array & Buffer) => Uint8Array | null) {
  const url = place.engineEnv['DATABASE_URL'];
  if (url === undefined) {
    const path = await partOf(place.dataDir, docId, part);
    const changed = change(await readFile(path));
    return changed === null ? rm(path) : writeFile(path, changed);
  }
  if (place.objects !== undefined) return damageObject(place.objects, await objectOf(url, docId, part), change);
  const rows = `FROM rag_intake.document_part JOIN rag_intake.blob_chunk USING (blob) WHERE doc_key = $1 AND part = $2 AND seq = 0`;
  const [row] = await ask(url, `SELECT blob, data ${rows}`, [documentFolder(docId), part]);
  const changed = change(row!['data'] as Buffer);
  if (changed !== null)
    return ask(url, 'UPDATE rag_intake.blob_chunk SET data = $2 WHERE blob = $1 AND seq = 0', [row!['blob'], changed]);
  return ask(url, 'DELETE FROM rag_intake.document_part WHERE doc_key = $1 AND part = $2', [documentFolder(docId), part]);
}

async function objectOf(url: string, docId: string, part: DocumentPart): Promise<string> {
  const sql = 'SELECT object FROM rag_intake.document_part JOIN rag_intake.blob ON blob.id = blob WHERE doc_key = $1 AND part = $2';
  return String((await ask(url, sql, [documentFolder(docId), part]))[0]!['object']);
}

async function damageObject(store: ObjectStore, object: string, change: (bytes: Uint8Array & Buffer) => Uint8Array | null) {
  for await (const keys of store.list(''))
    for (const key of keys.filter((each) => each.endsWith(`/${object}`))) {
      const changed = change((await buffer((await store.get(key, null))!.stream)) as Uint8Array & Buffer);
      await (changed === null ? store.delete(key) : store.put(key, { bytes: changed.length, content: changed }));
    }
}

async function partOf(dataDir: string, docId: string, part: string): Promise<string> {
  const folder = join(dataDir, 'documents', documentFolder(docId));
  const version = (await readdir(folder)).find((name) => /^[0-9a-f-]{36}$/.test(name))!;
  return join(folder, version, part);
}
