/** Which rows may be found, beside a plain look at every document. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allowedRows, mayRuns } from '../../../src/search/index/allowed.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

const documents = 40;
const documentChunks = 3;

it('are those of the documents that a filter lets through and that are still there, few or many of them', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -5, max: 60 })),
      fc.uniqueArray(fc.integer({ min: 1, max: documents })),
      (chosen, gone) => {
        const segment = makeSegment(documents, documentChunks, () => [['a', 1]], randomFrom(1)).open(0);
        for (const document of gone) segment.hide(document);
        const rows = allowedRows(new Set(chosen))(segment);
        const isAllowed = (document: number): boolean => chosen.includes(document) && !gone.includes(document);
        const plain = Array.from({ length: documents * documentChunks }, (_, row) =>
          isAllowed(Math.floor(row / documentChunks) + 1) ? 1 : 0,
        );

        expect([...rows]).toEqual(plain);
        expect(mayRuns(segment, rows)).toEqual(segment.runs.filter(({ document }) => isAllowed(document)));
      },
    ),
  );
});
