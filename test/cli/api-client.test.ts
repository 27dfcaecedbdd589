import { expect, it } from 'vitest';
import { sentenceOf } from '../../src/cli/api-client.ts';

it.each([
  [{ detail: 'RAG service is not ready.' }, 'RAG service is not ready.'],
  [{ detail: 'RAG service is not ready.', reason: 'The file store is away.' }, 'RAG service is not ready. The file store is away.'],
  [{}, 'The server answered 503.'],
])('says of %j: %s', (problem, sentence) => {
  expect(sentenceOf({ status: 503, headers: {}, text: JSON.stringify(problem) } as never)).toBe(sentence);
});
