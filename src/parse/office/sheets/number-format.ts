/**
 * Numbers and dates as a cell shows them, by the format codes of SpreadsheetML (ECMA-376 part 1, 18.8.30 and 18.8.31), as `numfmt` reads
 * them. What a file leaves to its reader's own settings is decided here: a decimal point, English names of months and days unless the code
 * names a language or is Chinese itself, and ISO 8601 for the locale's short date, because the file does not say whose it is.
 */
import { format, isDateFormat, isValidFormat } from 'numfmt';

/** Turns a cell's number into what its reader sees. */
export type NumberFormat = (value: number) => string;

/** Spreadsheet programs take no longer code. What a code costs, each cell of it costs again. */
const codeCharactersMax = 255;

/** Days between the two days from which workbooks count. */
const from1904 = 1462;

/** A format by its code. A code that makes no sense gives plain numbers. Never throws. */
export function compileFormat(code: string, isDate1904 = false): NumberFormat {
  const pattern = inOneLanguage(code.slice(0, codeCharactersMax));
  if (/^\s*(?:general)?\s*$/i.test(pattern) || !isValidFormat(pattern))
    return (value) => (Number.isFinite(value) ? plainNumber(value) : '');
  const offset = isDate1904 && isDateFormat(pattern) ? from1904 : 0;
  const hasGeneral = /general|@/i.test(pattern);
  return (value) => {
    if (!Number.isFinite(value)) return '';
    const text = formatted(pattern, value + offset) ?? plainNumber(value);
    return (hasGeneral ? inFull(text, value) : text).replace(/\s+/g, ' ').trim();
  };
}

/** Null for what is no date (negative, or past the year 9999), where a cell shows only that it cannot show it. */
function formatted(pattern: string, value: number): string | null {
  try {
    return format(pattern, value, { dateErrorThrows: true, dateSpanLarge: false });
  } catch {
    return null;
  }
}

/** `General` has as many digits as fit into 11 places of a cell; here it has all. */
function inFull(text: string, value: number): string {
  const short = format('General', Math.abs(value));
  return short === '' ? text : text.replace(short, () => plainNumber(Math.abs(value)));
}

/** The code in the words that `numfmt` knows; of a number, the language of a currency says nothing about its decimal point. */
function inOneLanguage(code: string): string {
  const known = code.replaceAll('G/通用格式', 'General').replace(/上午\/下午/g, 'AM/PM');
  if (!isValidFormat(known) || !isDateFormat(known))
    return known.replace(/\[\$([^\]-]*)(?:-[^\]]*)?\]/g, (_, sign: string) => (sign === '' ? '' : `"${sign}"`));
  const isChinese = known !== code || /[年月日时分秒周]|a{3,4}/i.test(code);
  return isChinese && !known.includes('[$')
    ? known
        .split(';')
        .map((section) => `[$-804]${section}`)
        .join(';')
    : known;
}

/** A number with the 15 digits that a spreadsheet holds. */
export function plainNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(15))).replace('e', 'E');
}

/** The code behind a built-in format id; null for ids that mean "General" or are not built in. */
export function builtinFormat(id: number): string | null {
  return builtin[id] ?? null;
}

const builtin: Readonly<Record<number, string>> = {
  1: '0',
  2: '0.00',
  3: '#,##0',
  4: '#,##0.00',
  9: '0%',
  10: '0.00%',
  11: '0.00E+00',
  12: '# ?/?',
  13: '# ??/??',
  14: 'yyyy-mm-dd',
  15: 'd-mmm-yy',
  16: 'd-mmm',
  17: 'mmm-yy',
  18: 'h:mm AM/PM',
  19: 'h:mm:ss AM/PM',
  20: 'h:mm',
  21: 'h:mm:ss',
  22: 'yyyy-mm-dd h:mm',
  27: 'yyyy"年"m"月"',
  28: 'm"月"d"日"',
  29: 'm"月"d"日"',
  30: 'm-d-yy',
  31: 'yyyy"年"m"月"d"日"',
  32: 'h"时"mm"分"',
  33: 'h"时"mm"分"ss"秒"',
  34: 'h:mm AM/PM',
  35: 'h:mm:ss AM/PM',
  36: 'yyyy"年"m"月"',
  37: '#,##0;(#,##0)',
  38: '#,##0;(#,##0)',
  39: '#,##0.00;(#,##0.00)',
  40: '#,##0.00;(#,##0.00)',
  45: 'mm:ss',
  46: '[h]:mm:ss',
  47: 'mm:ss.0',
  48: '##0.0E+0',
  50: 'yyyy"年"m"月"',
  51: 'm"月"d"日"',
  52: 'yyyy"年"m"月"',
  53: 'm"月"d"日"',
  54: 'm"月"d"日"',
  55: 'h:mm AM/PM',
  56: 'h:mm:ss AM/PM',
  57: 'yyyy"年"m"月"',
  58: 'm"月"d"日"',
};
