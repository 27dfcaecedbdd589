/**
 * Numbers and dates as a cell shows them, by the format codes of SpreadsheetML (ECMA-376 part 1, 18.8.30 and 18.8.31). Names of
 * months and days are English; the locale's own short date is written as ISO 8601, because the file does not say whose it is.
 */

/** Turns a cell's number into what its reader sees. */
export type NumberFormat = (value: number) => string;

/** Spreadsheet programs take no longer code. What a code costs, each cell of it costs again. */
const codeCharactersMax = 255;

/** A format by its code. A code that makes no sense gives plain numbers. Never throws. */
export function compileFormat(code: string, isDate1904 = false): NumberFormat {
  const sections = splitSections(code.slice(0, codeCharactersMax)).map(readSection);
  return (value) => {
    if (!Number.isFinite(value)) return '';
    const { section, isNegated } = pick(sections, value);
    if (section === undefined || section.tokens.some((token) => token.kind === 'general')) return general(section, value);
    const shown = isNegated ? Math.abs(value) : value;
    if (section.isDate) return dateText(section, value, isDate1904) ?? plainNumber(value);
    if (section.tokens.every((token) => token.kind === 'text' || token.kind === 'cell')) {
      return section.tokens.map((token) => (token.kind === 'cell' ? plainNumber(value) : token.text)).join('');
    }
    return numberText(section, shown);
  };
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

type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'date'; readonly text: string }
  | { readonly kind: 'elapsed'; readonly text: string }
  | { readonly kind: 'digit'; readonly text: '0' | '#' | '?' }
  | { readonly kind: 'point' | 'comma' | 'percent' | 'slash' | 'cell' | 'general'; readonly text: string }
  | { readonly kind: 'exponent'; readonly text: string };

type Section = {
  readonly tokens: readonly Token[];
  readonly isDate: boolean;
  readonly condition: ((value: number) => boolean) | null;
  readonly digits: DigitPlaces;
};

/** Where the digits of a number go, by index of the token; told once for a format, not for each cell. */
type DigitPlaces = {
  readonly whole: readonly number[];
  /** Index of the token → which decimal it shows. */
  readonly decimals: ReadonlyMap<number, number>;
  readonly last: number;
  readonly isGrouped: boolean;
  /** Commas right after the last digit, which divide by a thousand each. */
  readonly thousands: ReadonlySet<number>;
  readonly percents: number;
};

/** At `;`, but not inside quotes, brackets or after a backslash. */
function splitSections(code: string): string[] {
  return (code.match(/(?:"[^"]*"?|\\.|\[[^\]]*\]?|[_*].|[^;])*;?/gs) ?? [])
    .map((section) => section.replace(/;$/, ''))
    .filter((_, at, all) => at < all.length - 1 || at === 0)
    .slice(0, 4);
}

const tokenPattern =
  /"([^"]*)"?|\\(.)|_.|\*.|\[(h+|m+|s+)\]|\[([^\]]*)\]?|(General|G\/通用格式)|(AM\/PM|A\/P|上午\/下午)|(E[+-]0+)|(y+|m+|d+|h+|s+|a{3,4}|e+|g+|b+)|([0#?])|(\.)|(,)|(%)|(\/)|(@)|([^])/giu;

function readSection(code: string): Section {
  const tokens: Token[] = [];
  let condition: Section['condition'] = null;
  for (const match of code.matchAll(tokenPattern)) {
    const [
      ,
      quoted,
      escaped,
      elapsed,
      bracket,
      generalWord,
      halfDay,
      exponent,
      date,
      digit,
      point,
      comma,
      percent,
      slash,
      cell,
      other,
    ] = match;
    if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted });
    else if (escaped !== undefined) tokens.push({ kind: 'text', text: escaped });
    else if (elapsed !== undefined) tokens.push({ kind: 'elapsed', text: elapsed.toLowerCase() });
    else if (bracket !== undefined) {
      condition ??= readCondition(bracket);
      const currency = /^\$([^-]*)/.exec(bracket)?.[1];
      if (currency !== undefined && currency !== '') tokens.push({ kind: 'text', text: currency });
    } else if (generalWord !== undefined) tokens.push({ kind: 'general', text: generalWord });
    else if (halfDay !== undefined) tokens.push({ kind: 'date', text: halfDay.toUpperCase() });
    else if (date !== undefined) tokens.push({ kind: 'date', text: date.toLowerCase() });
    else if (exponent !== undefined) tokens.push({ kind: 'exponent', text: exponent });
    else if (digit !== undefined) tokens.push({ kind: 'digit', text: digit as '0' | '#' | '?' });
    else if (point !== undefined) tokens.push({ kind: 'point', text: point });
    else if (comma !== undefined) tokens.push({ kind: 'comma', text: comma });
    else if (percent !== undefined) tokens.push({ kind: 'percent', text: percent });
    else if (slash !== undefined) tokens.push({ kind: 'slash', text: slash });
    else if (cell !== undefined) tokens.push({ kind: 'cell', text: cell });
    else if (other !== undefined) tokens.push({ kind: 'text', text: other });
  }
  const isDate = tokens.some((token) => token.kind === 'date' || token.kind === 'elapsed');
  return { tokens, condition, isDate, digits: placeDigits(tokens) };
}

function placeDigits(tokens: readonly Token[]): DigitPlaces {
  const at = (kind: Token['kind']): number[] => tokens.flatMap((token, index) => (token.kind === kind ? [index] : []));
  const digits = at('digit');
  const commas = at('comma');
  const point = tokens.findIndex((token) => token.kind === 'point');
  const last = digits.at(-1) ?? -1;
  const whole = digits.filter((index) => point === -1 || index < point);
  const decimals = digits.filter((index) => point !== -1 && index > point);
  const thousands = new Set<number>();
  for (let index = last + 1; tokens[index]?.kind === 'comma'; index++) thousands.add(index);
  return {
    whole,
    decimals: new Map(decimals.map((index, decimal) => [index, decimal])),
    last,
    isGrouped: commas.some((index) => index > (whole[0] ?? Infinity) && index < (whole.at(-1) ?? -1)),
    thousands,
    percents: at('percent').length,
  };
}

function readCondition(bracket: string): Section['condition'] {
  const [, operator, operand] = /^(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)$/.exec(bracket.trim()) ?? [];
  if (operator === undefined) return null;
  const limit = Number(operand);
  switch (operator) {
    case '<':
      return (value) => value < limit;
    case '<=':
      return (value) => value <= limit;
    case '>':
      return (value) => value > limit;
    case '>=':
      return (value) => value >= limit;
    case '<>':
      return (value) => value !== limit;
    default:
      return (value) => value === limit;
  }
}

/** The section for a value; by sign where no condition is given. A section of its own for negatives shows no minus. */
function pick(sections: readonly Section[], value: number): { section: Section | undefined; isNegated: boolean } {
  const conditional = sections.some((section) => section.condition !== null);
  if (conditional) {
    const section = sections.find((each) => each.condition === null || each.condition(value)) ?? sections.at(-1);
    return { section, isNegated: value < 0 && section?.condition !== null && sections.indexOf(section!) > 0 };
  }
  if (value < 0 && sections.length > 1) return { section: sections[1], isNegated: true };
  if (value === 0 && sections.length > 2) return { section: sections[2], isNegated: false };
  return { section: sections[0], isNegated: false };
}

function general(section: Section | undefined, value: number): string {
  if (section === undefined) return plainNumber(value);
  return section.tokens.map((token) => (token.kind === 'general' ? plainNumber(value) : token.text)).join('');
}

function numberText(section: Section, value: number): string {
  const { tokens } = section;
  if (tokens.some((token) => token.kind === 'slash') && tokens.some((token) => token.kind === 'digit'))
    return fractionText(tokens, value);
  const exponent = tokens.findIndex((token) => token.kind === 'exponent');
  if (exponent !== -1) return exponentText(tokens, exponent, value);
  const { whole, decimals, last, isGrouped, thousands, percents } = section.digits;
  const scaled = (value * 100 ** percents) / 1000 ** thousands.size;

  const rounded = roundTo(Math.abs(scaled), decimals.size);
  const [wholeDigits = '0', fraction = ''] = rounded.split('.');
  const least = whole.filter((at) => tokens[at]!.text === '0').length;
  const shownWhole = (wholeDigits === '0' && least === 0 ? '' : wholeDigits).padStart(least, '0');
  const places = spread(shownWhole, whole, isGrouped);
  const keep = keptDecimals(fraction, [...decimals.keys()], tokens);
  const sign = scaled < 0 && /[1-9]/.test(rounded) ? '-' : '';
  const decimalAt = (decimal: number | undefined): string =>
    decimal === undefined || decimal >= keep ? '' : (fraction[decimal] ?? '');
  const text = tokens
    .map((token, at) => {
      if (token.kind === 'digit') return places.get(at) ?? decimalAt(decimals.get(at));
      if (token.kind === 'point') return keep > 0 || decimals.size === 0 ? '.' : '';
      if (token.kind === 'comma') return at > last && !thousands.has(at) ? ',' : '';
      return token.kind === 'cell' ? plainNumber(value) : token.text;
    })
    .join('');
  return (sign + text).replace(/\s+/g, ' ').trim();
}

/** The digits of the whole part, shared out among their placeholders from the right; the first one takes what is left. */
function spread(digits: string, places: readonly number[], isGrouped: boolean): ReadonlyMap<number, string> {
  const shares = new Map<number, string>();
  let rest = digits.length;
  places.toReversed().forEach((at, index) => {
    const from = index === places.length - 1 ? 0 : Math.max(0, rest - 1);
    let share = digits.slice(from, rest);
    if (isGrouped) share = grouped(share, digits.length - rest);
    shares.set(at, share);
    rest = from;
  });
  return shares;
}

/** `1234567` → `1,234,567`; `after` digits follow to the right. */
function grouped(share: string, after: number): string {
  let text = '';
  for (let at = share.length - 1; at >= 0; at--) {
    const right = after + share.length - 1 - at;
    text = share[at]! + (right > 0 && right % 3 === 0 ? ',' : '') + text;
  }
  return text;
}

/** How many decimals are shown: zeros at the end only where the format has `0`. */
function keptDecimals(fraction: string, places: readonly number[], tokens: readonly Token[]): number {
  let keep = places.length;
  while (keep > 0 && tokens[places[keep - 1]!]!.text !== '0' && (fraction[keep - 1] ?? '0') === '0') keep--;
  return keep;
}

/** Half up on the decimal digits, as spreadsheets round: 1.005 at two decimals is 1.01. */
function roundTo(value: number, decimals: number): string {
  const places = Math.min(30, decimals);
  const exact = String(Number(value.toPrecision(15)));
  if (exact.includes('e') || places > 15) return value.toFixed(places);
  const rounded = Number(`${Math.round(Number(`${exact}e${places}`))}e-${places}`);
  return Number.isFinite(rounded) ? rounded.toFixed(places) : value.toFixed(places);
}

function exponentText(tokens: readonly Token[], exponent: number, value: number): string {
  const point = tokens.findIndex((token) => token.kind === 'point');
  const decimals = tokens.filter((token, at) => token.kind === 'digit' && point !== -1 && at > point && at < exponent).length;
  const [mantissa = '0', power = '0'] = value.toExponential(Math.min(30, decimals)).split('e');
  const width = tokens[exponent]!.text.length - 2;
  const sign = power.startsWith('-') ? '-' : tokens[exponent]!.text[1] === '+' ? '+' : '';
  return `${mantissa}E${sign}${power.replace(/^[+-]/, '').padStart(width, '0')}`;
}

function fractionText(tokens: readonly Token[], value: number): string {
  const slash = tokens.findIndex((token) => token.kind === 'slash');
  const after = tokens.slice(slash + 1);
  const fixed = Number(
    after
      .map((token) => token.text)
      .join('')
      .trim(),
  );
  const denominatorMax = 10 ** Math.min(3, after.filter((token) => token.kind === 'digit').length) - 1;
  const hasWhole = /[0#?]\s+[0#?]+$/.test(
    tokens
      .slice(0, slash)
      .map((token) => token.text)
      .join(''),
  );
  const whole = hasWhole ? Math.trunc(Math.abs(value)) : 0;
  const [numerator, denominator] = nearestFraction(Math.abs(value) - whole, fixed > 1 ? fixed : null, Math.max(1, denominatorMax));
  const sign = value < 0 ? '-' : '';
  if (numerator === 0) return sign + whole;
  if (numerator === denominator) return sign + String(whole + 1);
  return `${sign}${whole > 0 ? `${whole} ` : ''}${numerator}/${denominator}`;
}

function nearestFraction(value: number, fixed: number | null, max: number): [number, number] {
  if (fixed !== null) return [Math.round(value * fixed), fixed];
  let best: [number, number] = [Math.round(value), 1];
  for (let denominator = 2; denominator <= max; denominator++) {
    const numerator = Math.round(value * denominator);
    if (Math.abs(value - numerator / denominator) < Math.abs(value - best[0] / best[1]) - 1e-12) best = [numerator, denominator];
  }
  return best;
}

const dayMs = 86_400_000;
const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const chineseDays = '日一二三四五六';

/** Null where the serial number is no date (negative, or past the year 9999). */
function dateText(section: Section, serial: number, isDate1904: boolean): string | null {
  const decimals = fractionDigits(section);
  const elapsed = section.tokens.some((token) => token.kind === 'elapsed');
  if (elapsed) return elapsedText(section, serial, decimals);
  if (serial < 0 || serial >= 2_958_466) return null;
  const moment = momentOf(serial, isDate1904, decimals);
  const hasHalves = section.tokens.some((token) => token.kind === 'date' && token.text.includes('/'));
  return joinDate(
    section,
    (token, isMinute) => datePart(token, moment, { isMinute, hasHalves }),
    moment.getUTCMilliseconds(),
    decimals,
  );
}

/** Day 60 is the 29 February 1900 that never was: days before it are one later than the epoch says. */
function momentOf(serial: number, isDate1904: boolean, decimals: number): Date {
  const offset = isDate1904 ? 1462 : serial < 60 ? 1 : 0;
  const step = 10 ** (3 - Math.min(3, decimals));
  const ms = Math.round(((serial + offset) * dayMs) / step) * step;
  return new Date(Date.UTC(1899, 11, 30) + (decimals === 0 ? Math.round(ms / 1000) * 1000 : ms));
}

function fractionDigits(section: Section): number {
  const point = section.tokens.findIndex((token) => token.kind === 'point');
  return point === -1 ? 0 : section.tokens.slice(point).filter((token) => token.kind === 'digit').length;
}

function joinDate(
  section: Section,
  part: (token: string, isMinute: boolean) => string,
  milliseconds: number,
  decimals: number,
): string {
  const parts = section.tokens.filter((token) => token.kind === 'date' || token.kind === 'elapsed');
  let index = -1;
  return section.tokens
    .map((token) => {
      if (token.kind === 'digit') return '';
      if (token.kind === 'point') return decimals > 0 ? `.${String(milliseconds).padStart(3, '0').slice(0, decimals)}` : token.text;
      if (token.kind !== 'date' && token.kind !== 'elapsed') return token.text;
      index++;
      const before = parts[index - 1]?.text ?? '';
      const after = parts[index + 1]?.text ?? '';
      return part(token.text, /^m{1,2}$/.test(token.text) && (before.startsWith('h') || after.startsWith('s')));
    })
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

function datePart(token: string, at: Date, how: { isMinute: boolean; hasHalves: boolean }): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const width = (value: number) => (token.length === 1 ? String(value) : two(value));
  if (token.includes('/')) {
    const isMorning = at.getUTCHours() < 12;
    if (token.startsWith('上')) return isMorning ? '上午' : '下午';
    return (isMorning ? 'AM' : 'PM').slice(0, token === 'A/P' ? 1 : 2);
  }
  switch (token[0]) {
    case 'y':
      return token.length <= 2 ? two(at.getUTCFullYear() % 100) : String(at.getUTCFullYear());
    case 'e':
    case 'b':
      return String(at.getUTCFullYear());
    case 'g':
      return '';
    case 'm':
      if (how.isMinute) return width(at.getUTCMinutes());
      if (token.length <= 2) return width(at.getUTCMonth() + 1);
      return months[at.getUTCMonth()]!.slice(0, token.length === 3 ? 3 : token.length === 5 ? 1 : undefined);
    case 'd':
      if (token.length <= 2) return width(at.getUTCDate());
      return days[at.getUTCDay()]!.slice(0, token.length === 3 ? 3 : undefined);
    case 'a':
      return (token.length === 3 ? '周' : '星期') + chineseDays[at.getUTCDay()]!;
    case 'h':
      return width(how.hasHalves ? at.getUTCHours() % 12 || 12 : at.getUTCHours());
    default:
      return width(at.getUTCSeconds());
  }
}

/** `[h]:mm:ss`: hours that go on past a day. */
function elapsedText(section: Section, serial: number, decimals: number): string {
  const ms = Math.round(Math.abs(serial) * dayMs);
  const seconds = decimals === 0 ? Math.round(ms / 1000) : Math.floor(ms / 1000);
  const total: Readonly<Record<string, number>> = { h: Math.floor(seconds / 3600), m: Math.floor(seconds / 60), s: seconds };
  const rest: Readonly<Record<string, number>> = {
    h: Math.floor(seconds / 3600) % 24,
    m: Math.floor(seconds / 60) % 60,
    s: seconds % 60,
  };
  const units = new Set(section.tokens.flatMap((token) => (token.kind === 'elapsed' ? [token.text[0]!] : [])));
  const text = joinDate(
    section,
    (token) => String((units.has(token[0]!) ? total : rest)[token[0]!] ?? '').padStart(token.length, '0'),
    ms % 1000,
    decimals,
  );
  return serial < 0 ? `-${text}` : text;
}
