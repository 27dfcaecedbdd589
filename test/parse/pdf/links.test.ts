import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { parseBytes } from '../../support/parse.ts';
import { makePdf, type PdfPage } from '../../support/pdf-writer.ts';

const parser = createDocumentParser({});
/** Pages with fields are none of the plain reader's. */
const readers = [
  ['the plain reader', []],
  ['PDFium', [{ name: 'empty', value: '', y: 20 }]],
] as const;

describe.each(readers)('links of a PDF, read by %s,', (_, fields) => {
  const parsed = (...pages: PdfPage[]) => parseBytes(parser, makePdf({ pages: pages.map((page) => ({ ...page, fields })) }));
  const markdownOf = async (page: PdfPage): Promise<string> => (await parsed(page)).markdown;

  it('keep where they lead, also amid Chinese, and only where that says more than the text', async () => {
    const page: PdfPage = {
      texts: [
        { text: 'See the user guide (second edition) or ask us.', x: 72, y: 700 },
        { text: '详情请见用户手册。', x: 72, y: 660 },
        { text: 'www.example.com/a and run me', x: 72, y: 620 },
      ],
      links: [
        { target: 'https://a.example/guide_(2)', areas: [[112, 697, 165, 711]] },
        { target: 'mailto:hr@a.example', areas: [[281, 697, 293, 711]] },
        { target: 'https://a.example/\xe6\x89\x8b\xe5\x86\x8c', areas: [[115, 657, 161, 671]] },
        { target: 'http://www.example.com/a', areas: [[70, 617, 165, 631]] },
        { target: 'javascript:alert(1\\)', areas: [[170, 617, 260, 631]] },
      ],
    };

    expect(await markdownOf(page)).toBe(
      'See the [user guide](https://a.example/guide_%282%29) (second edition) or ask [us](mailto:hr@a.example).\n\n' +
        '详情请见[用户手册](https://a.example/手册)。\n\nwww.example.com/a and run me',
    );
  });

  it('are one over the lines of a paragraph, a word broken at the end of a line too', async () => {
    const lines = [
      'Long lines of a paragraph that fill the width of the page end in a docu-',
      'mentation of everything, and then go on.',
    ];
    const links = [
      {
        target: 'https://a.example/d',
        areas: [
          [381, 767, 411, 781],
          [70, 752, 187, 766],
        ] as const,
      },
    ];

    expect(await markdownOf({ lines, links })).toMatch(/ end in a \[documentation of everything\]\(https:\/\/a\.example\/d\), and/);
  });

  it('stand at the text that they are of where there are several such', async () => {
    const at = (x: number, y: number) => [x, y - 3, x + 22, y + 10] as const;
    const texts = ['The old price list is here.', 'The new one is here too.', 'Not here but'].map((text, index) => ({
      text,
      x: 72,
      y: 700 - 40 * index,
    }));
    const links = [
      { target: 'https://a.example/old', areas: [at(166, 700)] },
      { target: 'https://a.example/new', areas: [at(150, 660)] },
    ];

    expect(await markdownOf({ texts, links })).toBe(
      'The old price list is [here](https://a.example/old).\n\nThe new one is [here](https://a.example/new) too.\n\nNot here but',
    );
  });

  it('are kept in headings, items and cells, each on its page', async () => {
    const prose = Array.from({ length: 12 }, (_, index) => `Line ${index} of the text that the page is mostly made of, in full.`);
    const first: PdfPage = {
      texts: [{ text: 'Contents', x: 72, y: 790, size: 20, bold: true }],
      lines: ['', '', ...prose],
      links: [{ target: 'https://a.example/c', areas: [[70, 785, 200, 810]] }],
    };
    const cell = (text: string, x: number, y: number) => ({ text, x, y });
    const second: PdfPage = {
      texts: [
        cell('Name', 80, 704),
        cell('Sheet', 180, 704),
        cell('Pump', 80, 684),
        cell('PDF', 180, 684),
        cell('Valve', 80, 664),
        cell('PDF', 180, 664),
      ],
      rules: [700 + 20, 700, 680, 660]
        .flatMap((y) => [[72, y, 272, y]] as [number, number, number, number][])
        .concat([72, 172, 272].map((x) => [x, 660, x, 720] as [number, number, number, number])),
      links: [
        { target: 'https://a.example/pump', areas: [[178, 682, 205, 695]] },
        { target: 'https://a.example/valve', areas: [[178, 662, 205, 675]] },
      ],
    };
    const { markdown, blocks } = await parsed(first, second);
    const pageOf = (text: string) => blocks.find(({ start, end }) => markdown.slice(start, end).includes(text))?.page;

    expect(markdown).toContain('# [Contents](https://a.example/c)');
    expect(markdown).toContain('| Pump | [PDF](https://a.example/pump) |\n| Valve | [PDF](https://a.example/valve) |');
    expect([pageOf('/c)'), pageOf('/pump)')]).toEqual([1, 2]);
  });
});
