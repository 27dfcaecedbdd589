/** Numbers in Chinese characters: `三十二`, `五百万`, `二〇二四`, and the formal ones of contracts, `伍佰万`. */

const digits = new Map(Array.from('〇零一二三四五六七八九').map((sign, i) => [sign, Math.max(0, i - 1)]));
digits.set('两', 2);
const tens = new Map([
  ['十', 10],
  ['百', 100],
  ['千', 1000],
]);
const groups = new Map([
  ['万', 10_000n],
  ['亿', 100_000_000n],
]);

/** What else is written for the same sign: formal, traditional. */
const variants = new Map(
  [
    '壹一',
    '贰二',
    '貳二',
    '叁三',
    '參三',
    '叄三',
    '肆四',
    '伍五',
    '陆六',
    '陸六',
    '柒七',
    '捌八',
    '玖九',
    '拾十',
    '佰百',
    '仟千',
    '萬万',
    '億亿',
    '兩两',
    '○〇',
  ].map((pair) => [pair[0]!, pair[1]!] as const),
);

/** Every sign that a number is written with, ordinary, formal or traditional. */
export const numeralSigns: readonly string[] = [...digits.keys(), ...tens.keys(), ...groups.keys(), ...variants.keys()];

/** Signs of the longest number that is read. */
const signsMax = 24;

/** The number as digits; null where the signs make none (`十十`, `万`). */
export function readNumeral(written: string): string | null {
  if (written.length > signsMax) return null;
  const signs = Array.from(formal(written));
  if (signs.every((sign) => digits.has(sign))) return signs.map((sign) => digits.get(sign)).join('');
  return readWords(signs)?.toString() ?? null;
}

/** The ordinary signs for formal and traditional ones. */
export function formal(written: string): string {
  return Array.from(written, (sign) => variants.get(sign) ?? sign).join('');
}

/** `一百零五万三千`: groups of ten thousand, each of thousands, hundreds, tens and ones that go down. */
function readWords(signs: readonly string[]): bigint | null {
  let total = 0n;
  let group = 0;
  let digit: number | null = null;
  let least = 10_000;
  for (const sign of signs) {
    const [one, ten, large] = [digits.get(sign), tens.get(sign), groups.get(sign)];
    if (one !== undefined) {
      if (digit !== null && digit !== 0) return null;
      digit = one;
    } else if (ten !== undefined) {
      if (ten >= least) return null;
      // 十二: the one before ten is not said.
      group += (digit === null || digit === 0 ? 1 : digit) * ten;
      [digit, least] = [null, ten];
    } else {
      const count = BigInt(group + (digit ?? 0));
      if (count === 0n && total === 0n) return null;
      // 万亿: the groups before are counted in it too.
      total = large! > 10_000n ? (total + count) * large! : total + count * large!;
      [group, digit, least] = [0, null, 10_000];
    }
  }
  return total + BigInt(group + (digit ?? 0));
}
