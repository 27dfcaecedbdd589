/** What a deployment with PostgreSQL and an object store does for a client, from upload to restart. */
import { expect, it } from 'vitest';
import { objectCredentials, type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { runCommand } from '../support/command.ts';
import { ask } from '../support/postgres.ts';
import { insert, makeDataDir, removeDir, search, startProcess, startServer, type WireTask } from '../support/server.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { until } from '../support/until.ts';

it('with files in an object store, documents are taken in, found, given back, replaced, kept over a restart and deleted [S77]', async () => {
  await using postgres = await sharedPostgres();
  await using objects = await startObjectServer();
  const dataDir = await makeDataDir();
  const elsewhere = await makeDataDir();
  const url = await postgres.newDatabase();
  const place = {
    dataDir,
    engineEnv: { DATABASE_URL: url, FILES_URL: objects.filesUrl('served') },
    env: {
      LOG_LEVEL: 'debug',
      AWS_ACCESS_KEY_ID: objectCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objectCredentials.secretAccessKey,
    },
  };
  let server = await startServer(place);
  const get = async (path: string): Promise<string> => (await fetch(`${server.url}/documents/manual/${path}`)).text();
  const put = async (bytes: string): Promise<void> => {
    const task = (await (await insert(server.url, 'manual', { name: 'manual.txt', bytes })).json()) as WireTask;
    expect(task).toMatchObject({ status: 'completed' });
  };
  const counted = async (sql: string): Promise<number> => Number((await ask(url, `SELECT count(*) AS n FROM ${sql}`))[0]!['n']);
  /** That of the space is always there. */
  const kept = (): number => objects.objects.size - 1;

  await put('The walrus and the carpenter walked along the beach.');
  expect(await search(server.url, 'walrus')).toMatchObject([{ citation: { doc_id: 'manual' } }]);
  await put('The oysters were invited to a pleasant talk.');
  expect(await search(server.url, 'walrus', { mode: 'keyword' })).toEqual([]);
  await until('the objects of the version before are deleted', async () => kept() === (await counted('rag_intake.blob')));
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const process of ['frontend', 'worker'])
    expect(metrics).toMatch(
      new RegExp(`^rag_file_store_requests_total\\{process="${process}",operation="put",outcome="ok"\\} [1-9]`, 'm'),
    );
  expect(metrics).toMatch(/^rag_file_store_seconds_total\{process="worker",operation="get"\} 0\.\d*[1-9]/m);
  expect(metrics).toMatch(/^rag_file_store_bytes_total\{process="worker",direction="sent"\} [1-9]/m);
  const first = server.log();
  await server.stop();

  const settings = { FILES_URL: place.engineEnv.FILES_URL, ...place.env };
  const moved = await runCommand(['move', '--from', url, '--to', elsewhere], { DATA_DIR: dataDir, ...settings });
  expect(moved).toMatchObject({ code: 0, stderr: expect.not.stringContaining('FILES_URL') as string });

  // As a version with other terms would find it: what they are made of lies in the store.
  await ask(url, 'UPDATE rag_intake.version SET tokens = 0');
  const migrate = (env: Record<string, string>) => runCommand(['migrate'], { DATABASE_URL: url, ...env });
  expect((await migrate({})).stderr).toContain('the files of this database are in an object store; set its address.');
  expect((await migrate(settings)).stdout).toContain('Documents whose terms were rebuilt: 1.');
  await expectRefusals({ DATABASE_URL: url, DATA_DIR: dataDir, ...settings }, objects.filesUrl('another'));

  server = await startServer(place);
  expect(await search(server.url, 'oysters')).toMatchObject([{ citation: { doc_id: 'manual' } }]);
  expect(await get('file')).toBe('The oysters were invited to a pleasant talk.');
  expect(await get('content')).toContain('The oysters were invited');
  expect(await counted('rag_intake.blob_chunk')).toBe(0);
  await expectHonestFailures(server.url, objects);
  expect((await fetch(`${server.url}/documents/manual`, { method: 'DELETE' })).ok).toBe(true);
  expect(await search(server.url, 'oysters')).toEqual([]);
  await until('no object is left', () => Promise.resolve(kept() === 0));
  await server.stop();
  expect((first + server.log()).includes(objectCredentials.secretAccessKey)).toBe(false);
  await removeDir(dataDir);
  await removeDir(elsewhere);
});

/** What settings make impossible ends a start with 78 and one sentence, and the doctor says the same. */
async function expectRefusals(env: Record<string, string>, another: string): Promise<void> {
  const wrong = 'FILES_URL: the object store refuses requests (the object store answered 403 SignatureDoesNotMatch';
  const refused: [Record<string, string>, string][] = [
    [{ AWS_SECRET_ACCESS_KEY: 'another secret' }, wrong],
    [{ FILES_URL: another }, 'FILES_URL: this is not the bucket with the files of this database.'],
    [{ FILES_URL: '' }, 'FILES_URL: the files of this database are in an object store; set its address.'],
  ];
  for (const [changed, sentence] of refused) {
    const ended = await startProcess({ dataDir: env['DATA_DIR']!, engineEnv: { ...env, ...changed } }).catch(String);
    expect(ended).toContain('ended with 78');
    expect(ended).toContain(sentence);
  }
  const { stdout } = await runCommand(['--json', 'doctor'], { ...env, PORT: '0', AWS_SECRET_ACCESS_KEY: 'another secret' });
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; sentence: string }[] };
  expect(checks.find(({ name }) => name === 'file store')).toMatchObject({
    state: 'problem',
    sentence: expect.stringContaining('403 SignatureDoesNotMatch: AWS_SECRET_ACCESS_KEY is not the one') as string,
  });
}

/** Before an answer has begun: what the store lost or cut is said, and when it is away that is said. */
async function expectHonestFailures(url: string, { objects, refusals }: ObjectServer): Promise<void> {
  const whole = new Map(objects);
  const ask = (part: string, headers = {}): Promise<Response> => fetch(`${url}/documents/manual/${part}`, { headers });
  const asked = [['file'], ['content'], ['file', { range: 'bytes=2-9' }], ['file', { range: 'bytes=20-25' }]] as const;

  for (const cut of [() => objects.clear(), () => whole.forEach((bytes, key) => objects.set(key, bytes.subarray(0, 5)))]) {
    cut();
    for (const [part, headers] of asked) {
      const answer = await ask(part, headers);
      expect(answer.status).toBe(500);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('is damaged; upload it again') as string });
    }
  }
  for (const [key, bytes] of whole) objects.set(key, bytes);
  for (const [part, headers] of asked) {
    refusals.push(...Array<number>(200).fill(503));
    const answer = await ask(part, headers);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/\d/)]);
    refusals.length = 0;
    expect((await ask(part, headers)).ok).toBe(true);
  }
  refusals.push(...Array<number>(200).fill(503));
  const upload = await insert(url, 'refused', { name: 'a.txt', bytes: 'A text.' }, { 'accept-language': 'zh' });
  expect(upload.status).toBe(503);
  expect(await upload.json()).toMatchObject({ detail: '服务尚未就绪。', reason: '文件存储目前无法使用。' });
  refusals.length = 0;
  await until('uploads are taken again', async () => (await fetch(`${url}/ready`)).ok);
}
