import { describe, expect, it } from 'vitest';
import { isPageNumber, withoutPageNumbers } from '../../src/parse/page-number.ts';

describe('a line at the edge of a page', () => {
  it.each(['7', '- iv -', 'Page 3 of 9', '第 3 页', '3 / 9', 'Seite 4 von 12'])(
    'counts pages and says nothing else: %s',
    (line) => {
      expect(isPageNumber(line)).toBe(true);
    },
  );

  it.each([
    ['Annual report | 7', 'Annual report | 8'],
    ['7 | Annual report', '12 | Annual report'],
    ['Annual report, page 7 of 90', 'Annual report, page 8 of 90'],
    ['年度报告 第7页 共90页', '年度报告 第8页 共90页'],
    ['연차보고서 7쪽', '연차보고서 8쪽'],
  ])('is the same but for the number of its page: %s', (one, other) => {
    expect(withoutPageNumbers(one)).toBe(withoutPageNumbers(other));
  });

  it.each([
    ['Order 88213', 'Order 71924'],
    ['工号：88213', '工号：71924'],
    ['第1章', '第2章'],
    ['Invoice No. 7', 'Invoice No. 8'],
    ['Total: 11 EUR', 'Total: 12 EUR'],
    ['2024 | 第1版', '2024 | 第2版'],
  ])('is told apart by any other number: %s', (one, other) => {
    expect(withoutPageNumbers(one)).not.toBe(withoutPageNumbers(other));
  });
});
