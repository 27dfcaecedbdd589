import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chunk, chunkCharactersMax } from '../../src/chunk/chunk.ts';
import { splitDocument } from '../../src/chunk/splitter.ts';
import { countTokens } from '../../src/chunk/tokenizer.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../../src/parse/markdown/markdown-builder.ts';
import type { ParsedDocument } from '../../src/parse/parser.ts';
import { usualLimits } from '../support/parse.ts';

const words = 'retrieval of documents needs small pieces of text that stand for themselves'.split(' ');
const hanzi = '检索需要能够独立成文的小段文字';

describe('splitDocument', () => {
  it('covers all text without gap or overlap, in order, within the size, whatever the document', () => {
    fc.assert(
      fc.property(fc.array(anyBlock(), { maxLength: 30 }), fc.integer({ min: 16, max: 120 }), (writes, tokensMax) => {
        const document = build((builder) => writes.forEach((write) => write(builder)));
        const chunks = [...splitDocument(document, { tokensMax })];

        let at = 0;
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.index).toBe(index);
          expect(countTokens(document.markdown, at, chunk.start)).toBe(0);
          expect(chunk.start).toBeGreaterThanOrEqual(at);
          expect(chunk.text).toBe(document.markdown.slice(chunk.start, chunk.end));
          expect(chunk.text.trim()).toBe(chunk.text);
          expect(countTokens(chunk.text) + countTokens(chunk.context)).toBeLessThanOrEqual(tokensMax);
          expect(chunk.pageEnd! >= chunk.page!).toBe(true);
          at = chunk.end;
        }
        expect(countTokens(document.markdown, at)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('never leaves a chunk of a few tokens beside one of the same section that has room for it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 2, maxLength: 20 }), (lengths) => {
        const document = build((builder) => lengths.forEach((length) => builder.paragraph(prose(length))));
        const sizes = [...splitDocument(document, { tokensMax: 100 })].map((chunk) => countTokens(chunk.text));
        for (const [index, size] of sizes.entries()) {
          if (size < 20 && index > 0) expect(size + sizes[index - 1]!).toBeGreaterThan(100);
        }
      }),
    );
  });

  it('keeps each chunk to one page, and a heading with the page of the text that it heads', () => {
    const chunks = split((builder) => {
      builder.paragraph('On the first page.', { page: 1 });
      builder.heading(1, 'Heads the second', { page: 1 });
      builder.paragraph('On the second page.', { page: 2 });
      builder.paragraph('On the third page.', { page: 3 });
    });

    expect(chunks.map(({ page, pageEnd }) => [page, pageEnd])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(chunks[1]?.text).toBe('# Heads the second\n\nOn the second page.');
  });

  it('cuts a paragraph that runs over two pages after the sentence that the first page begins', () => {
    const markdown = 'One sentence here. Another runs over to the next page. The last one is there.';
    const blocks = [
      { kind: 'paragraph', start: 0, end: markdown.length, page: 4, pageEnd: 5, pageBreaks: [{ offset: 30, page: 5 }] },
    ] as const;
    const chunks = [...splitDocument({ ...build(() => {}), markdown, blocks }, { tokensMax: 100 })];

    expect(chunks.map(({ text, page, pageEnd }) => [text, page, pageEnd])).toEqual([
      ['One sentence here. Another runs over to the next page.', 4, 5],
      ['The last one is there.', 5, 5],
    ]);
  });

  it('gives each chunk the headings above it', () => {
    const chunks = split((builder) => {
      builder.heading(1, 'Handbook');
      builder.paragraph(prose(60));
      builder.heading(2, 'Leave');
      builder.paragraph(prose(60));
      builder.heading(2, 'Travel');
      builder.heading(3, 'Trains');
      builder.paragraph(prose(60));
    });

    expect(chunks.map((chunk) => chunk.section)).toEqual([['Handbook'], ['Handbook', 'Leave'], ['Handbook', 'Travel', 'Trains']]);
    expect(chunks[2]!.text.startsWith('## Travel\n\n### Trains\n\n')).toBe(true);
  });

  it.each([
    ['# <h3><p id="x">Leave</p></h3>', 'Leave'],
    ['## **Leave** of [absence](https://a.example/b "c") `now`', 'Leave of absence now'],
    ['## FUNCTION\\_USAGE &amp; more', 'FUNCTION_USAGE & more'],
    ['## List<T> of 2 * 3 * 4 and a < b', 'List<T> of 2 * 3 * 4 and a < b'],
    ['## **请假**制度', '请假制度'],
    ['## C\\# and \\*.md', 'C# and *.md'],
  ])('shows headings as text: %s', (heading, shown) => {
    const document = build((builder) => {
      builder.raw('heading', heading, { level: 1 });
      builder.paragraph('Thirty days.');
    });
    expect([...splitDocument(document, { tokensMax: 50 })].map(({ section }) => section)).toEqual([[shown]]);
  });

  it('joins small sections, which then stand under what they have in common', () => {
    const chunks = split((builder) => {
      builder.heading(1, 'Glossary');
      for (const word of ['Chunk', 'Fence', 'Lease']) {
        builder.heading(2, word);
        builder.paragraph('What it means.');
      }
    });

    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.section).toEqual(['Glossary']);
  });

  it('keeps a table whole where it fits', () => {
    const chunks = split((builder) => {
      builder.paragraph(prose(70));
      builder.table([['City', 'People'], ...Array.from({ length: 8 }, (_, row) => [`Town ${row}`, String(row)])]);
    });

    expect(chunks).toHaveLength(2);
    expect(chunks[1]!.text.startsWith('| City | People |')).toBe(true);
    expect(chunks[1]!.context).toBe('');
  });

  it('cuts a large table between rows and repeats its header as context', () => {
    const chunks = split((builder) => {
      builder.table([['City', 'People'], ...Array.from({ length: 200 }, (_, row) => [`Town ${row}`, String(row * 7)])]);
    });

    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks[0]!.context).toBe('');
    for (const chunk of chunks.slice(1)) {
      expect(chunk.context).toBe('| City | People |\n| --- | --- |');
      expect(chunk.text.split('\n').every((line) => /^\| Town \d+ \| \d+ \|$/.test(line))).toBe(true);
    }
  });

  it('cuts long prose after sentences, in English and in Chinese', () => {
    const english = 'The lease ended at 3.5 p.m. on Monday, as Dr. Smith (see Fig. 2) had said. Nobody renewed it! Why?';
    const chinese = '租约在星期一下午到期。没有人续约！为什么呢？“因为没有人知道。”他说。';

    for (const text of [english, chinese]) {
      const chunks = split(
        (builder) => builder.paragraph(Array.from({ length: 12 }, () => text).join(text === english ? ' ' : '')),
        100,
      );
      expect(chunks.length).toBeGreaterThan(2);
      for (const chunk of chunks) expect(chunk.text).toMatch(/[.!?。！？”]$/);
      for (const chunk of chunks) expect(chunk.text).not.toMatch(/(?:Dr|Fig|p\.m)\.$/);
    }
  });

  it('repeats whole sentences of the chunk before where an overlap is asked for, within the size and the section', () => {
    const sentences = Array.from({ length: 40 }, (_, n) => `Sentence ${n} says something of the sea.`);
    const document = build((builder) => {
      builder.heading(1, 'One');
      builder.paragraph(sentences.slice(0, 30).join(' '));
      builder.heading(1, 'Two');
      builder.paragraph(sentences.slice(30).join(' '));
    });

    const chunks = [...splitDocument(document, { tokensMax: 80, overlap: 20 })];

    const inside = chunks.filter(({ section }) => section[0] === 'One');
    expect(inside.length).toBeGreaterThan(2);
    for (const [n, chunk] of inside.entries()) {
      expect(chunk.text).toBe(document.markdown.slice(chunk.start, chunk.end));
      expect(countTokens(chunk.text)).toBeLessThanOrEqual(80);
      if (n === 0) continue;
      expect(chunk.start).toBeLessThan(inside[n - 1]!.end);
      expect(chunk.text).toMatch(/^Sentence/);
    }
    expect(chunks.find(({ section }) => section[0] === 'Two')!.start).toBeGreaterThanOrEqual(inside.at(-1)!.end);
  });

  it('keeps list items and lines of code whole', () => {
    const chunks = split((builder) => {
      builder.list(Array.from({ length: 40 }, (_, index) => ({ text: `${prose(9)} ${index}`, depth: 0, ordered: false })));
      builder.code(Array.from({ length: 60 }, (_, index) => `call(${index}, "some argument");`).join('\n'), 'js');
    });

    for (const line of chunks.flatMap((chunk) => chunk.text.split('\n')))
      expect(line).toMatch(/^(?:- .*\d|call\(\d+, "some argument"\);|```(?:js)?|)$/);
  });

  it('cites the page inside a block that runs over pages', () => {
    const first = `${prose(80)}.`;
    const second = `${prose(80)}.`;
    const chunks = split((builder) =>
      builder.paragraph(`${first} ${second}`, { page: 4, pageEnd: 5, pageBreaks: [{ offset: first.length + 1, page: 5 }] }),
    );

    const onlyFirst = chunks.find((chunk) => chunk.end <= first.length)!;
    const last = chunks.at(-1)!;
    expect([onlyFirst.page, onlyFirst.pageEnd]).toEqual([4, 4]);
    expect([last.page, last.pageEnd]).toEqual([5, 5]);
  });

  it('takes ten million characters without any boundary', () => {
    const markdown = 'a'.repeat(10_000_000);
    const chunks = [...splitDocument(documentOf(markdown), { tokensMax: 320 })];

    expect(chunks.map((chunk) => chunk.text).join('')).toBe(markdown);
  });

  it('makes no chunk of more than 8,000 characters, and loses no token, however much there is between them [S45]', () => {
    fc.assert(
      fc.property(fc.array(wideText(), { minLength: 1, maxLength: 12 }), anyWriter(), (texts, write) => {
        const document = build((builder) => texts.forEach((text) => write(builder, text)));
        for (const parsed of [document, documentOf(texts.join(''))]) {
          let at = 0;
          for (const { start, end, text, context, section } of splitDocument(parsed, { tokensMax: 320 })) {
            expect(text).toBe(parsed.markdown.slice(start, end));
            expect(text.length).toBeLessThanOrEqual(chunkCharactersMax);
            expect(context.length).toBeLessThanOrEqual(chunkCharactersMax);
            expect(section.join('').length).toBeLessThanOrEqual(6 * 200);
            expect(countTokens(text)).toBeGreaterThan(0);
            expect(countTokens(parsed.markdown, at, start)).toBe(0);
            expect(halvesACharacter(parsed.markdown, start) || halvesACharacter(parsed.markdown, end)).toBe(false);
            at = end;
          }
          expect(countTokens(parsed.markdown, at)).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('makes no chunk of white space, controls and characters without width alone', () => {
    for (const blank of [' ', '\n', '\u200b', '\u2060', '\u0085', '\u2028', '\ufeff', '\u00ad', '\u0000'])
      expect([...splitDocument(documentOf(blank.repeat(100_000)), { tokensMax: 320 })]).toEqual([]);
  });

  it('never cuts a character in two', () => {
    const markdown = '😀'.repeat(1000);

    for (const chunk of splitDocument(documentOf(markdown), { tokensMax: 33 })) expect(chunk.text.isWellFormed()).toBe(true);
  });
});

function documentOf(markdown: string): ParsedDocument {
  return { mediaType: 'text/plain', title: null, author: null, language: null, pages: null, markdown, blocks: [], warnings: [] };
}

function build(write: (builder: MarkdownBuilder) => void): ParsedDocument {
  const builder = createMarkdownBuilder(usualLimits);
  write(builder);
  return { ...documentOf(''), ...builder.finish() };
}

function split(write: (builder: MarkdownBuilder) => void, tokensMax = 100): Chunk[] {
  return [...splitDocument(build(write), { tokensMax })];
}

function prose(length: number): string {
  return Array.from({ length }, (_, index) => words[index % words.length]).join(' ');
}

function halvesACharacter(text: string, at: number): boolean {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(at - 1, at + 1));
}

/** Much that counts nothing or little, with a few words in it; characters of every plane. */
function wideText(): fc.Arbitrary<string> {
  const unit = fc.oneof(
    fc.constantFrom(
      ' ',
      '\n',
      ' \n',
      '\t',
      '\u200b',
      '\u200d',
      '\u2060',
      '\ufeff',
      '\u0000',
      '\u0085',
      '\u2028',
      '\u3000',
      '\u0301',
      '-',
      'a',
      '😀',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
  );
  const run = fc.tuple(unit, fc.constantFrom(1, 3, 7999, 8001, 20_000)).map(([text, times]) => text.repeat(times));
  return fc
    .array(fc.oneof(run, fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('word', '検索', '. ')), { maxLength: 6 })
    .map((parts) => parts.join(''));
}

function anyWriter(): fc.Arbitrary<(builder: MarkdownBuilder, text: string) => void> {
  return fc.constantFrom<(builder: MarkdownBuilder, text: string) => void>(
    (builder, text) => builder.raw('paragraph', text),
    (builder, text) => builder.raw('heading', text, { level: 2 }),
    (builder, text) => builder.raw('list', text),
    (builder, text) => builder.raw('table', `| ${text} |\n| --- |\n| ${text} |`),
    (builder, text) => builder.code(text, 'txt'),
  );
}

/** One call on a builder, with text of every kind, on a page that only grows. */
function anyBlock(): fc.Arbitrary<(builder: MarkdownBuilder) => void> {
  const text = fc.oneof(
    fc.integer({ min: 1, max: 120 }).map(prose),
    fc.integer({ min: 1, max: 120 }).map((length) => hanzi.repeat(Math.ceil(length / 15)).slice(0, length)),
    fc.lorem({ mode: 'sentences', maxCount: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );
  const place = { page: 1 };
  return fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 6 }), text).map(
      ([level, title]) =>
        (builder: MarkdownBuilder) =>
          builder.heading(level, title, place),
    ),
    text.map((value) => (builder: MarkdownBuilder) => builder.paragraph(value, place)),
    text.map((value) => (builder: MarkdownBuilder) => builder.quote(value, place)),
    text.map((value) => (builder: MarkdownBuilder) => builder.code(value, 'txt', place)),
    fc
      .array(fc.record({ text, depth: fc.integer({ min: 0, max: 4 }), ordered: fc.boolean() }), { maxLength: 12 })
      .map((items) => (builder: MarkdownBuilder) => builder.list(items, place)),
    fc
      .array(fc.array(text, { maxLength: 6 }), { maxLength: 12 })
      .map((rows) => (builder: MarkdownBuilder) => builder.table(rows, place)),
  );
}
