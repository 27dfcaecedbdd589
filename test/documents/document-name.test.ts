/** Names of documents as one string, and the other way round. */
import { describe, expect, it } from 'vitest';
import { collectionOf, isScopedId, nameOf, scopedId } from '../../src/documents/document-name.ts';

describe('a document in a collection', () => {
  it('is kept under its doc_id alone in the collection that is always there', () => {
    expect(scopedId({ collection: 'default', docId: '合同/2026' })).toBe('合同/2026');
    expect(nameOf('合同/2026')).toEqual({ collection: 'default', docId: '合同/2026' });
  });

  it('comes back as it went in, whatever its doc_id looks like', () => {
    for (const docId of ['a', 'hr', 'hr:a', '../x', 'é', '%1f', '\\u001f'])
      expect(nameOf(scopedId({ collection: 'hr', docId }))).toEqual({ collection: 'hr', docId });
    expect(collectionOf(scopedId({ collection: 'hr', docId: 'a' }))).toBe('hr');
  });

  it('is never made of a doc_id that is written as one of another collection, in whichever collection it is asked for', () => {
    for (const collection of ['default', 'hr', 'openai-files'])
      for (const docId of [scopedId({ collection: 'finance', docId: 'salaries' }), '\u001fa', 'a\u001f', '\u001f'])
        expect(() => scopedId({ collection, docId }), JSON.stringify(docId)).toThrow('Document not found');
  });

  it('is told from what was made up', () => {
    expect(isScopedId(scopedId({ collection: 'hr', docId: 'a' }))).toBe(true);
    expect(isScopedId('a')).toBe(true);
    for (const text of ['a\u0000', 'HR\u001fa', '\u001fa', 'hr\u001fa\u001fb', '\ud800']) expect(isScopedId(text)).toBe(false);
  });
});
