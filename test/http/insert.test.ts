import { expect, test } from 'vitest';
import { fileForm, insert, json, startHttpServer } from '../support/http-server.ts';

test('POST /insert answers 200 with the whole completed task record for a small file', async () => {
  await using server = await startHttpServer();

  const answer = await insert(server, 'doc-1', fileForm('hello world', 'notes.txt'));

  expect(answer.status).toBe(200);
  expect(await json(answer)).toMatchObject({ status: 'completed' });
});
