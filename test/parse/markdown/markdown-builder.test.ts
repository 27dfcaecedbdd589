import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMarkdownBuilder, type MarkdownBuilder } from '../../../src/parse/markdown/markdown-builder.ts';
import { usualLimits } from '../../support/parse.ts';

describe('createMarkdownBuilder', () => {
  it('gives every block its exact place', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 20 }), (texts) => {
        const { markdown, blocks } = write((builder) => {
          for (const [index, text] of texts.entries()) {
            if (index % 3 === 0) builder.heading(index, text);
            else if (index % 3 === 1) builder.paragraph(text);
            else builder.code(text);
          }
        });

        expect(blocks.map((block) => markdown.slice(block.start, block.end)).join('\n\n')).toBe(markdown);
      }),
    );
  });

  it('writes text to the letter, and escapes only what would be another block', () => {
    const texts = [
      'a * b_c < d [e](f) `g`',
      '# not a heading',
      '> not a quote',
      '```',
      '<div>text',
      '---',
      '[a]: b',
      '1. Scope',
      '- dash',
      '#tag',
    ];

    expect(texts.map((text) => write((builder) => builder.paragraph(text)).markdown)).toEqual([
      'a * b_c < d [e](f) `g`',
      '\\# not a heading',
      '\\> not a quote',
      '\\```',
      '\\<div>text',
      '\\---',
      '\\[a]: b',
      '1. Scope',
      '- dash',
      '#tag',
    ]);
    expect(write((builder) => builder.paragraph('Title\n=====')).markdown).toBe('Title\n\\=====');
  });

  it('puts children under the text of their parent, however wide its number', () => {
    const { markdown } = write((builder) =>
      builder.list([
        { text: 'first\nsecond line', depth: 0, ordered: true, number: 100 },
        { text: 'child', depth: 1, ordered: false },
        { text: 'grandchild', depth: 9, ordered: false },
        { text: 'next', depth: 0, ordered: true, number: 101 },
      ]),
    );

    expect(markdown).toBe('100. first\n     second line\n     - child\n       - grandchild\n101. next');
  });

  it('keeps tables rectangular and their pipes inside', () => {
    const { markdown } = write((builder) => builder.table([['a|b', 'c'], ['line one\nline two'], ['1', '2', '3']]));

    expect(markdown).toBe('| a\\|b | c |  |\n| --- | --- | --- |\n| line one line two |  |  |\n| 1 | 2 | 3 |');
  });

  it('takes rows one by one when it knows the columns', () => {
    function* rows(): Generator<string[]> {
      yield ['n', 'square'];
      for (let n = 1; n <= 3; n++) yield [String(n), String(n * n)];
    }

    expect(write((builder) => builder.table(rows(), { columns: 2 })).markdown.split('\n')).toHaveLength(5);
  });

  it('fences code that has fences in it', () => {
    expect(write((builder) => builder.code('a\n````\nb', 'md')).markdown).toBe('`````md\na\n````\nb\n`````');
  });

  it('moves page breaks along with what it trims and escapes', () => {
    const { markdown, blocks } = write((builder) =>
      builder.paragraph('  # one\nsecond', { page: 1, pageEnd: 2, pageBreaks: [{ offset: 8, page: 2 }] }),
    );

    expect(markdown.slice(blocks[0]!.pageBreaks![0]!.offset)).toBe('second');
  });

  it('adds nothing for nothing', () => {
    const { markdown, blocks } = write((builder) => {
      builder.heading(1, ' ');
      builder.paragraph('\n');
      builder.list([{ text: ' ', depth: 0, ordered: false }]);
      builder.table([['', ' ']]);
      builder.code('\n\n');
      builder.quote('');
    });

    expect([markdown, blocks]).toEqual(['', []]);
  });

  it('replaces half a surrogate pair, which no file could give back', () => {
    expect(write((builder) => builder.paragraph('a\ud800b')).markdown).toBe('a\ufffdb');
  });

  it('names the setting when a limit is met', () => {
    const builder = createMarkdownBuilder({ charactersMax: 30, cellsMax: 3 });

    expect(() =>
      builder.table([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    ).toThrow('The document has more than 3 table cells (MAX_CELLS)');
    expect(() => builder.paragraph('more than thirty characters of text')).toThrow(
      'The document has more than 30 characters of text, 100 counted for each paragraph (MAX_CHARACTERS)',
    );
  });
});

function write(use: (builder: MarkdownBuilder) => void): ReturnType<MarkdownBuilder['finish']> {
  const builder = createMarkdownBuilder(usualLimits);
  use(builder);
  return builder.finish();
}
