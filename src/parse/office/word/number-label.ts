/** Numbers as lists and headings show them: letters, Roman, Chinese, Japanese and Korean figures (ECMA-376 ST_NumberFormat). */

/** `value` in the format of that name; decimal for formats unknown here and for values that a format cannot show. */
export function formatNumber(value: number, format: string): string {
  if (!Number.isSafeInteger(value) || value < 0 || value > 1_000_000) return String(value);
  return formats[format]?.(value) ?? String(value);
}

const formats: Readonly<Record<string, (value: number) => string | null>> = {
  none: () => '',
  decimalZero: (value) => String(value).padStart(2, '0'),
  lowerLetter: (value) => letters(value)?.toLowerCase() ?? null,
  upperLetter: letters,
  lowerRoman: (value) => roman(value)?.toLowerCase() ?? null,
  upperRoman: roman,
  ordinal: (value) => `${value}${ordinalEnding(value)}`,
  decimalEnclosedCircle: (value) => (value >= 1 && value <= 20 ? String.fromCodePoint(0x245f + value) : null),
  decimalEnclosedCircleChinese: (value) => (value >= 1 && value <= 20 ? String.fromCodePoint(0x245f + value) : null),
  decimalFullWidth: (value) => String(value).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  chineseCounting: (value) => counted(value, '〇一二三四五六七八九', '十百千万'),
  chineseCountingThousand: (value) => counted(value, '〇一二三四五六七八九', '十百千万'),
  taiwaneseCounting: (value) => counted(value, '〇一二三四五六七八九', '十百千萬'),
  taiwaneseCountingThousand: (value) => counted(value, '〇一二三四五六七八九', '十百千萬'),
  japaneseCounting: (value) => counted(value, '〇一二三四五六七八九', '十百千万'),
  koreanCounting: (value) => counted(value, '영일이삼사오육칠팔구', '십백천만'),
  chineseLegalSimplified: (value) => counted(value, '零壹贰叁肆伍陆柒捌玖', '拾佰仟萬', true),
  ideographLegalTraditional: (value) => counted(value, '零壹貳參肆伍陸柒捌玖', '拾佰仟萬', true),
  japaneseLegal: (value) => counted(value, '零壱弐参四五六七八九', '拾百阡萬', true),
  ideographDigital: (value) => digits(value, '〇一二三四五六七八九'),
  japaneseDigitalTenThousand: (value) => digits(value, '〇一二三四五六七八九'),
  koreanDigital: (value) => digits(value, '영일이삼사오육칠팔구'),
  taiwaneseDigital: (value) => digits(value, '〇一二三四五六七八九'),
  ideographTraditional: (value) => '甲乙丙丁戊己庚辛壬癸'[value - 1] ?? null,
  ideographZodiac: (value) => '子丑寅卯辰巳午未申酉戌亥'[value - 1] ?? null,
  ganada: (value) => '가나다라마바사아자차카타파하'[value - 1] ?? null,
  chosung: (value) => 'ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ'[value - 1] ?? null,
  aiueo: (value) =>
    'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン'[value - 1] ?? null,
  iroha: (value) =>
    'イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス'[value - 1] ?? null,
  russianLower: (value) => 'абвгдежзиклмнопрстуфхцчшщыэюя'[value - 1] ?? null,
  russianUpper: (value) => 'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ'[value - 1] ?? null,
};

/** A … Z, AA, BB … as Word repeats them. */
function letters(value: number): string | null {
  if (value < 1 || value > 26 * 10) return null;
  return String.fromCharCode(65 + ((value - 1) % 26)).repeat(Math.ceil(value / 26));
}

const romanSteps = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1];
const romanSigns = ['M', 'CM', 'D', 'CD', 'C', 'XC', 'L', 'XL', 'X', 'IX', 'V', 'IV', 'I'];

function roman(value: number): string | null {
  if (value < 1 || value > 3999) return null;
  let rest = value;
  return romanSteps
    .map((step, index) => {
      const count = Math.floor(rest / step);
      rest -= count * step;
      return romanSigns[index]!.repeat(count);
    })
    .join('');
}

function ordinalEnding(value: number): string {
  if (value % 100 >= 11 && value % 100 <= 13) return 'th';
  return ['th', 'st', 'nd', 'rd'][value % 10] ?? 'th';
}

function digits(value: number, figures: string): string {
  return String(value).replace(/\d/g, (digit) => figures[Number(digit)]!);
}

/** 21 → 二十一, 105 → 一百〇五; `keepsOne` writes 壹拾 where everyday figures write 十. */
function counted(value: number, figures: string, units: string, keepsOne = false): string | null {
  if (value === 0) return figures[0]!;
  if (value >= 100_000) return null;
  const places = ['', ...units.split('')];
  const written = String(value)
    .split('')
    .map((digit, at, all) => (digit === '0' ? '0' : figures[Number(digit)]! + places[all.length - 1 - at]!))
    .join('')
    .replace(/0+$/, '')
    .replace(/0+/g, figures[0]!);
  return !keepsOne && value >= 10 && value < 20 ? written.slice(1) : written;
}
