import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMarkdownBuilder } from '../../../src/parse/markdown/markdown-builder.ts';
import { blocksOf, type Block, type Leaf } from '../../../src/web/reading/blocks.ts';

const read = (text: string, leaf: Leaf): string => leaf.map(([from, to]) => text.slice(from, to)).join('');

/** Each block as a reader sees it. */
function shown(text: string): object[] {
  return blocksOf(text).map((block: Block) => {
    switch (block.kind) {
      case 'list':
        return { list: block.items.map(({ depth, leaf }) => [depth, read(text, leaf)]) };
      case 'table':
        return {
          table: [...(block.head === null ? [] : [block.head]), ...block.rows].map((row) => row.map((cell) => read(text, cell))),
        };
      case 'heading':
        return { heading: block.level, text: read(text, block.leaf) };
      default:
        return { [block.kind]: read(text, block.leaf) };
    }
  });
}

const line = fc
  .stringMatching(/^[A-Za-z0-9一-龥#>|\-*`.[\]<=_~\\:! ]{1,30}$/)
  .map((text) => text.replace(/\s+/g, ' ').trim())
  .filter((text) => text !== '' && !text.startsWith('\\'));
const limits = { charactersMax: 1e9, cellsMax: 1e9 };

describe('what parsers write', () => {
  it('is read back as it was given: headings, paragraphs, tables, code and quotes', () => {
    const block = fc.oneof(
      fc.record({ kind: fc.constant('heading' as const), level: fc.integer({ min: 1, max: 6 }), text: line }),
      fc.record({ kind: fc.constant('plain' as const), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
      fc.record({
        kind: fc.constant('table' as const),
        rows: fc.array(fc.array(line, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
      }),
      fc.record({ kind: fc.constant('code' as const), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
      fc.record({ kind: fc.constant('quote' as const), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        const builder = createMarkdownBuilder(limits);
        const expected: object[] = [];
        for (const each of blocks) {
          if (each.kind === 'heading') {
            builder.heading(each.level, each.text);
            expected.push({ heading: each.level, text: each.text });
          } else if (each.kind === 'table') {
            builder.table(each.rows);
            expected.push({ table: each.rows });
          } else if (each.kind === 'code') {
            builder.code(each.lines.join('\n'));
            expected.push({ code: each.lines.join('\n') });
          } else if (each.kind === 'quote') {
            builder.quote(each.lines.join('\n'));
            expected.push({ quote: each.lines.join('\n') });
          } else {
            // What reads as a list stays one; see the builder.
            const lines = each.lines.map((text) => (/^([-*+]|\d{1,9}[.)]) |^\|/.test(text) ? `x${text}` : text));
            builder.paragraph(lines.join('\n'));
            expected.push({ plain: lines.join('\n') });
          }
        }
        const { markdown } = builder.finish();
        expect(shown(markdown)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('is read back as it was given: lists with their depths', () => {
    const builder = createMarkdownBuilder(limits);
    builder.list([
      { text: 'one\nmore of one\nand more', depth: 0, ordered: false },
      { text: 'inner', depth: 1, ordered: true, number: 10 },
      { text: 'innermost', depth: 2, ordered: false },
      { text: 'two', depth: 0, ordered: false },
    ]);

    const { markdown } = builder.finish();

    expect(shown(markdown)).toEqual([
      {
        list: [
          [0, 'one\nmore of one\nand more'],
          [1, 'inner'],
          [2, 'innermost'],
          [0, 'two'],
        ],
      },
    ]);
  });
});

/** The parts of a list, the cells of a table, the one part of everything else. */
function leavesOf(text: string): readonly Leaf[] {
  return blocksOf(text).flatMap((block) =>
    block.kind === 'list'
      ? block.items.map(({ leaf }) => leaf)
      : block.kind === 'table'
        ? [...(block.head ?? []), ...block.rows.flat()]
        : [block.leaf],
  );
}

function expectInOrder(leaf: Leaf, text: string): void {
  let last = 0;
  for (const [from, to] of leaf) {
    expect(from).toBeGreaterThanOrEqual(last);
    expect(to).toBeGreaterThan(from);
    expect(to).toBeLessThanOrEqual(text.length);
    last = to;
  }
}

describe('any text', () => {
  it('keeps the ranges of an item of three lines in order', () => {
    const text = '- one\n  two\n  three';

    const [leaf = []] = leavesOf(text);

    expectInOrder(leaf, text);
    expect(read(text, leaf)).toBe('one\ntwo\nthree');
  });

  it('keeps its ranges in order, inside the text and apart from each other', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '一', ' ', '\n', '|', '#', '-', '`', '>', '\\', '1', '.'), maxLength: 120 }),
        (text) => {
          const leaves = leavesOf(text);
          for (const leaf of leaves) expectInOrder(leaf, text);
          const letters = leaves
            .map((leaf) => read(text, leaf))
            .join('')
            .replace(/[^a一]/g, '');
          // Only what follows an opening fence is not shown.
          if (!/`{3}|~{3}/.test(text)) expect(sorted(letters)).toBe(sorted(text.replace(/[^a一]/g, '')));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function sorted(letters: string): string {
  return Array.from(letters).sort().join('');
}
