/** The doctor has the object store do all that servers ask of it. */
import { expect, it } from 'vitest';
import { checkFileStore } from '../../src/cli/check-file-store.ts';
import { loadConfig } from '../../src/config.ts';
import { objectCredentials, startObjectServer } from '../support/object-server.ts';
import { answer, errorAnswer, startScriptedStore } from '../support/scripted-store.ts';

const settings = (filesUrl: string, secret: string = objectCredentials.secretAccessKey) =>
  loadConfig({
    DATABASE_URL: 'postgres://host/name',
    FILES_URL: filesUrl,
    AWS_ACCESS_KEY_ID: objectCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
  });

it('says nothing where files are in the database', async () => {
  expect(await checkFileStore(loadConfig({}))).toEqual([]);
});

it('says that it works, and leaves nothing there', async () => {
  await using objects = await startObjectServer();
  const [check] = await checkFileStore(settings(objects.filesUrl('checked')));
  expect(check).toMatchObject({ name: 'file store', state: 'ok' });
  expect(objects.objects.size).toBe(0);
});

it('removes what a check that was killed has left, not what another one is using', async () => {
  await using objects = await startObjectServer();
  const [put] = await Promise.all([
    new Promise<string>((resolve) => {
      objects.hooks.reached = async (method, key) => {
        if (method === 'PUT') resolve(key);
        return false;
      };
    }),
    checkFileStore(settings(objects.filesUrl('checked'))),
  ]);
  const old = put.replace(/\d{13}/, String(Date.now() - 3_700_000));
  const anothers = put.replace(/doctor-.*/, 'doctor-of-somebody');
  for (const key of [put, old, anothers]) objects.objects.set(key, Buffer.from(key));

  expect(await checkFileStore(settings(objects.filesUrl('checked')))).toMatchObject([{ state: 'ok' }]);
  expect([...objects.objects.keys()]).toEqual([put, anothers]);
  expect(old).not.toBe(put);
});

it('says that a secret is wrong, and does not say the secret', async () => {
  await using objects = await startObjectServer();
  const [check] = await checkFileStore(settings(objects.filesUrl('checked'), 'another-secret'));
  expect(check).toMatchObject({ name: 'file store', state: 'problem' });
  expect(check!.sentence).toMatch(
    /^The files cannot be kept: the object store answered 403 SignatureDoesNotMatch: AWS_SECRET_ACCESS_KEY/,
  );
  expect(check!.sentence).not.toContain('another-secret');
});

it('says that a store takes what it does not give', async () => {
  const gone = errorAnswer(404, 'NoSuchKey');
  const empty = answer(200, '<ListBucketResult></ListBucketResult>');
  await using scripted = await startScriptedStore([answer(200, '', { etag: '"one"' }), gone, empty, answer(204), gone]);
  const [check] = await checkFileStore(settings(scripted.filesUrl));
  expect(check).toMatchObject({
    name: 'file store',
    state: 'problem',
    sentence: expect.stringContaining('has just taken') as string,
  });
});
