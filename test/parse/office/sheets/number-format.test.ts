import { describe, expect, it } from 'vitest';
import { builtinFormat, compileFormat } from '../../../../src/parse/office/sheets/number-format.ts';
import { createFormats } from '../../../../src/parse/office/sheets/xlsx-sheet.ts';

const cases: readonly (readonly [code: string, value: number, shown: string])[] = [
  ['General', 1234.5, '1234.5'],
  ['General', 0.1 + 0.2, '0.3'],
  ['General" pcs"', 7, '7 pcs'],
  ['0', 2.5, '3'],
  ['0.00', 1.005, '1.01'],
  ['0.00', -0.001, '0.00'],
  ['#,##0', 1234567.4, '1,234,567'],
  ['#,##0', 12, '12'],
  ['#,##0.00', -1234.5, '-1,234.50'],
  ['#,##0;(#,##0)', -1234, '(1,234)'],
  ['#,##0.00 "€";[Red]-#,##0.00 "€"', -5, '-5.00 €'],
  ['[$¥-804]#,##0.00', 12.5, '¥12.50'],
  ['_($* #,##0.00_)', 3.5, '$3.50'],
  ['0.0#', 1.5, '1.5'],
  ['0.##', 2, '2.'],
  ['##0.0E+0', 1234.567, '1.2E+3'],
  ['0;;', 0, ''],
  ['yyyy-mm-dd', 0, '1900-01-00'],
  ['ddd, mmmm d, yyyy', 1, 'Sun, January 1, 1900'],
  ['#,##0.00', 1e21, '1,000,000,000,000,000,000,000.00'],
  ['0/100', 0.5, '50/100'],
  ['[$€-407] #,##0.00', 1234.5, '€ 1,234.50'],
  ['G/通用格式"元"', 123456789012, '123456789012元'],
  ['General', 1234567890123, '1234567890123'],
  ['no [format', 5, '5'],
  ['0%', 0.256, '26%'],
  ['0.00%', 0.1234, '12.34%'],
  ['0.0,,"M"', 12_345_678, '12.3M'],
  ['0.00E+00', 123_456, '1.23E+05'],
  ['# ?/?', 2.5, '2 1/2'],
  ['# ??/??', 0.3125, '5/16'],
  ['000-0000', 5551234, '555-1234'],
  ['00000', 42, '00042'],
  ['"yes";"no";"zero"', 0, 'zero'],
  ['[<100]"small";[>=100]"large"', 250, 'large'],
  ['yyyy-mm-dd', 45_292, '2024-01-01'],
  ['d/m/yy h:mm', 45_292.5, '1/1/24 12:00'],
  ['dddd, mmmm d, yyyy', 45_292, 'Monday, January 1, 2024'],
  ['yyyy"年"m"月"d"日" aaaa', 45_292, '2024年1月1日 星期一'],
  ['h:mm AM/PM', 0.75, '6:00 PM'],
  ['上午/下午h"时"mm"分"', 0.25, '上午6时00分'],
  ['mm:ss.0', 0.5 / 86_400 + 65 / 86_400, '01:05.5'],
  ['[h]:mm:ss', 1.5, '36:00:00'],
  ['yyyy-mm-dd', 59, '1900-02-28'],
  ['yyyy-mm-dd', 61, '1900-03-01'],
  ['yyyy-mm-dd', -3, '-3'],
  ['@', 12, '12'],
  [';;;', 5, ''],
];

describe('number formats', () => {
  it.each(cases)('show in %s the number %d as %s', (code, value, shown) => {
    expect(compileFormat(code)(value)).toBe(shown);
  });

  it('count from 1904 where the workbook does', () => {
    expect(compileFormat('yyyy-mm-dd', true)(0)).toBe('1904-01-01');
  });

  it('have codes for the built-in ids', () => {
    expect(compileFormat(builtinFormat(14)!)(45_292)).toBe('2024-01-01');
    expect(builtinFormat(0)).toBeNull();
  });

  it('are as many as a spreadsheet program holds: a file of more shows plain numbers', () => {
    const formatOf = createFormats(
      Array.from({ length: 600 }, (_, id) => String(id)),
      (id) => `0.00"${id}"`,
      false,
    );
    const shown = Array.from({ length: 600 }, (_, style) => formatOf(String(style))?.(2.5) ?? 'plain');

    expect(shown.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, id) => `2.50${id}`));
    expect(new Set(shown.slice(500))).toEqual(new Set(['plain']));
    expect(formatOf('7')?.(2.5)).toBe('2.507');
  });
});
