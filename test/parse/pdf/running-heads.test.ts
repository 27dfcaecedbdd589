import { describe, expect, it } from 'vitest';
import type { TextBlock } from '../../../src/parse/pdf/layout/page-blocks.ts';
import { withoutRunningHeads } from '../../../src/parse/pdf/layout/running-heads.ts';

const look = { kind: 'text', size: 10, bold: false, italic: false, mono: false, lineCount: 1, left: 72, open: false } as const;
const block = (page: number, text: string, top: number): TextBlock => ({ ...look, page, text, top, bottom: top + 0.02 });

/** What is left of the heads of pages, each with prose of its own below. */
function headsLeft(heads: readonly string[], at = 0.04): string[] {
  const blocks = heads.flatMap((head, index) => [block(index + 1, head, at), block(index + 1, `Prose of page ${index + 1}.`, 0.5)]);
  return withoutRunningHeads(blocks, heads.length)
    .filter(({ kind, page }) => kind === 'text' && page > 0)
    .map((each) => (each as TextBlock).text)
    .filter((text) => !text.startsWith('Prose'));
}

const pages = [1, 2, 3, 4];

describe('heads and feet of pages', () => {
  it.each([
    ['the same words', pages.map(() => 'The Handbook of Rivers')],
    ['words and a number that is the same', pages.map(() => 'Rivers 2024')],
    ['a number that goes up with the pages at the end', pages.map((page) => `Rivers of the North ${page + 17}`)],
    ['one at the beginning', pages.map((page) => `${page} Rivers of the North`)],
    ['one set apart', pages.map((page) => `Rivers – ${page + 1044}`)],
    ['one that is named', pages.map((page) => `Rivers 2024, page ${page + 7} of 90`)],
    ['one that is named in Chinese', pages.map((page) => `河流手册 第${page}页`)],
  ])('are kept once where they have %s', (_, heads) => {
    for (const at of [0.04, 0.94]) expect(headsLeft(heads, at)).toEqual([heads[0]]);
  });

  it.each([
    ['orders', ['Order 88213', 'Order 71924', 'Order 10366', 'Order 50005']],
    ['orders one after the other', pages.map((page) => `Order ${page + 6}`)],
    ['staff', ['工号：88213', '工号：71924', '工号：10366', '工号：50005']],
    ['totals', ['实发工资：11026.625元', '实发工资：8990.5元', '实发工资：1295.75元', '实发工资：700.5元']],
    ['chapters', pages.map((page) => `第${page}章`)],
    ['invoices', pages.map((page) => `Invoice No. ${page + 10_022}`)],
    ['numbers of orders alone', ['88213', '71924', '10366', '50005']],
    ['lines that say a # and a number', ['# 17', '5 #', '# 9', '7 #']],
  ])('are all kept where they tell apart %s', (_, heads) => {
    for (const at of [0.04, 0.94]) expect(headsLeft(heads, at)).toEqual(heads);
  });

  it('are kept once for each chapter that goes over many pages', () => {
    const heads = [1, 1, 1, 2, 2, 2].map((chapter) => `Chapter ${chapter}`);
    expect(headsLeft(heads)).toEqual(['Chapter 1', 'Chapter 2']);
  });

  it.each([
    ['go up', ['7', '8', '9', '10']],
    ['begin again', ['1', '2', '1', '2']],
    ['are Roman', ['iv', 'v', 'vi', 'vii']],
    ['are named', ['Page 1 of 2', 'Page 2 of 2', 'Page 1 of 2', 'Page 2 of 2']],
  ])('are not kept where they are numbers of pages that %s', (_, heads) => {
    expect(headsLeft(heads)).toEqual([]);
  });
});
