/** Terms are found in the block that they were written into, whatever their characters. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Block, BlockWriter, encodeTerm, placeInBlock, PostingWriter } from '../../../src/search/index/posting-blocks.ts';

/** Of one byte in UTF-8 and of two, three and four: those of four come before some of three where strings are compared. */
const character = fc.constantFrom('a', 'b', 'é', 'ß', '中', '文', '\ud7ff', '\ue000', '豈', '\uffee', '𐀀', '𠀀', '\u{10ffff}');
const anyTerm = fc.array(character, { minLength: 1, maxLength: 70 }).map((characters) => characters.join(''));

function blockOf(terms: readonly string[]): Block {
  const blocks: Block[] = [];
  const writer = new BlockWriter((block) => blocks.push(block));
  for (const [row, term] of terms.entries()) {
    const postings = new PostingWriter();
    postings.add(row, 1);
    writer.add(term, postings.list());
  }
  writer.flush();
  expect(blocks).toHaveLength(1);
  return blocks[0]!;
}

it('each term, and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyTerm, { minLength: 1, maxLength: 40 }), anyTerm, (terms, other) => {
      const sorted = terms.toSorted();
      const { data } = blockOf(sorted);
      for (const [row, term] of sorted.entries())
        expect(placeInBlock(data, encodeTerm(term))).toMatchObject({ rows: 1, lastRow: row });
      expect(placeInBlock(data, encodeTerm(other)) !== null).toBe(terms.includes(other));
    }),
  );
});
