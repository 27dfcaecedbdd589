/** Small documents with something to find on a certain page. */
import { makePdf } from '../../support/pdf-writer.ts';

export type Sample = {
  readonly name: string;
  readonly bytes: Buffer;
  /** What to ask. */
  readonly query: string;
  /** What must be marked on the page, and where. */
  readonly passage: string;
  readonly page: number;
};

const filler = {
  en: 'This line is here so that the page is full, and says nothing that anybody would look for.',
  zh: '这一行只是为了填满页面，没有人会搜索它的内容。',
};

export const englishPdf: Sample = {
  name: 'Harbour handbook.pdf',
  query: 'lighthouse lamp',
  passage: 'The keeper trims the lighthouse lamp at dusk and enters the hour in the blue ledger.',
  page: 2,
  bytes: makePdf({
    title: 'Harbour handbook',
    pages: [
      Array.from({ length: 12 }, () => filler.en),
      [
        ...Array.from({ length: 6 }, () => filler.en),
        '',
        'The keeper trims the lighthouse lamp at dusk and enters the hour in the blue ledger.',
        '',
        ...Array.from({ length: 6 }, () => filler.en),
      ],
      Array.from({ length: 12 }, () => filler.en),
    ],
  }),
};

export const otherPdf: Sample = {
  name: 'Chandler.pdf',
  query: 'anchor chain',
  passage: 'The chandler weighs the anchor chain twice.',
  page: 1,
  bytes: makePdf({ pages: [['The chandler weighs the anchor chain twice.', ...Array.from({ length: 6 }, () => filler.en)]] }),
};

export const chinesePdf: Sample = {
  name: '港口手册 2026.pdf',
  query: '灯塔守护人',
  passage: '灯塔守护人在黄昏点亮灯火，并把时刻记入蓝色登记簿。',
  page: 2,
  bytes: makePdf({
    pages: [
      Array.from({ length: 12 }, () => filler.zh),
      [
        ...Array.from({ length: 6 }, () => filler.zh),
        '',
        '灯塔守护人在黄昏点亮灯火，并把时刻记入蓝色登记簿。',
        '',
        ...Array.from({ length: 6 }, () => filler.zh),
      ],
    ],
  }),
};

/** A Chinese PDF that names a predefined CMap and embeds no font: only pdf.js's own files can show it. */
export const cmapPdf: Sample = {
  name: '字符映射.pdf',
  query: '潮汐',
  passage: '潮汐表每年重新编印一次。',
  page: 1,
  bytes: makePdf({ pages: [{ texts: [{ text: '潮汐表每年重新编印一次。', x: 72, y: 700, size: 16, cmap: 'UniGB-UCS2-H' }] }] }),
};
