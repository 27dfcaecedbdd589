/** docs/messages.md: every sentence that people read, as the sources say it, and each thing said in one way. */
import { expect, it } from 'vitest';
import { sentences } from './support/sentences.ts';
import { messagesDocument, saidTwice } from './support/write-messages.ts';

const said = sentences();

it('lists every sentence as the program says it (npm run docs writes it)', () => {
  const { is, shouldBe } = messagesDocument(said);
  for (const known of [
    'Task not found',
    'Only a failed task can be retried',
    'The PDF is damaged',
    'Searchable documents.',
    'PORT: {…} is',
    'FILES_URL: the object store refuses requests.',
    'AWS_SESSION_TOKEN has expired',
    'with {…} is no object store',
  ])
    expect(shouldBe).toContain(known);
  expect(is).toBe(shouldBe);
});

it('says nothing in two ways that differ in small words, case or punctuation only', () => {
  expect(saidTwice(said)).toEqual([]);
});
