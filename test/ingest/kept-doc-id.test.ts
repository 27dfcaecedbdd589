import { describe, expect, it } from 'vitest';
import { keptDocId } from '../../src/documents/doc-id.ts';

describe('the doc_id under which a document is kept', () => {
  const [composed, decomposed, mixed] = ['caf\u00e9 \u00e9', 'cafe\u0301 e\u0301', 'caf\u00e9 e\u0301'];
  const among =
    (...there: string[]) =>
    async (docId: string): Promise<boolean> =>
      there.includes(docId);

  it('is composed where there is none yet', async () => {
    for (const form of [composed, decomposed, mixed]) expect(await keptDocId(form, among())).toBe(composed);
  });

  it('is that of the document that an older version kept in another form', async () => {
    for (const form of [composed, decomposed, mixed]) expect(await keptDocId(form, among(decomposed))).toBe(decomposed);
    expect(await keptDocId(mixed, among(mixed))).toBe(mixed);
  });

  it('is the very one where an older version kept both forms', async () => {
    for (const form of [composed, decomposed]) expect(await keptDocId(form, among(composed, decomposed))).toBe(form);
  });

  it('is not looked for where there is only one form', async () => {
    const never = (): Promise<boolean> => Promise.reject(new Error('was asked'));

    for (const docId of ['a', '报告', 'a/b c']) expect(await keptDocId(docId, never)).toBe(docId);
  });
});
