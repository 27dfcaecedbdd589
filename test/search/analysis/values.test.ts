import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNumeral } from '../../../src/search/analysis/chinese-numerals.ts';
import { termsOf } from '../../../src/search/analysis/tokens.ts';
import { valuesIn } from '../../../src/search/analysis/values.ts';

const valueTerms = (text: string): string[] => valuesIn(text).map(({ term }) => term);
const allTerms = (text: string): Set<string> => new Set(termsOf(text).map(({ term }) => term));

describe('the values of a text', () => {
  it.each([
    [
      '20240315',
      ['2024年3月15日', '2024-03-15', '2024.03.15', '2024/3/15', '15.03.2024', '3/15/2024', 'March 15, 2024', '15 March 2024'],
    ],
    [
      '20240315',
      [
        'the 15th of March, 2024',
        'Mar. 15 2024',
        '二〇二四年三月十五日',
        '二零二四年三月十五号',
        '２０２４年０３月１５日',
        '20240315',
      ],
    ],
    ['202403', ['2024年3月', 'March 2024', 'Mar 2024', '二〇二四年三月', '2024-03-15']],
    ['--03-15', ['3月15日', '三月十五日', 'March 15', '15 March', '2024年3月15日']],
    ['5000000', ['500万元', '五百万元', '伍佰萬元整', '5,000,000元', '5000000', '5 million', '五百万']],
    ['350000000', ['3.5亿', '三点五亿', '350 million', '３．５億']],
    ['32', ['第三十二条', '第32条', 'Article 32', '三十二', '第32條']],
    ['220v', ['220 V', '220V', '２２０Ｖ', '额定电压220伏', '220 volts', '二百二十伏']],
    ['5km', ['5km', '5 km', '5 kilometres', '5 kilometers', '5公里', '五公里', '5.0 km', '５千米']],
    ['12.5%', ['12.5%', '12.5％', '百分之十二点五', '百分之12.5', '12.5 percent', '12.5 per cent']],
    ['14:30', ['14:30', '14：30', '2:30 pm', '2:30 p.m.', '下午2点30分', '下午两点半', '14时30分', '14点30']],
    ['80070005', ['0x80070005', '80070005']],
    ['13800138000', ['138-0013-8000', '138 0013 8000', '+86 13800138000', '13800138000', '+86 138-0013-8000']],
    ['a88b21', ['京A·88B21', '京A-88B21', '京A88B21']],
    ['abc12345', ['ABC-1234/5', 'ABC1234/5', 'ＡＢＣ－１２３４／５']],
    ['nodejs', ['Node.js', 'NodeJS']],
    ['nodej', ['Node.js', 'nodejs']],
    ['c++', ['C++', 'C plus plus']],
    ['25°c', ['25℃', '25°C', '25摄氏度']],
    ['10m2', ['10 m²', '10平方米', '10 ㎡']],
  ])('are %s however it is written', (term, texts) => {
    for (const text of texts) expect(allTerms(text).has(term), text).toBe(true);
  });

  it('differ where what is written differs', () => {
    expect(valueTerms('2024年13月1日')).not.toContain('20241301');
    expect(allTerms('第三十三条').has('32')).toBe(false);
    expect(allTerms('第三百二十条').has('32')).toBe(false);
    expect(allTerms('15 km').has('5km')).toBe(false);
    expect(allTerms('2.5%').has('12.5%')).toBe(false);
    expect(allTerms('500万').has('50000000')).toBe(false);
    expect(valueTerms('25:70')).toEqual([]);
  });

  it('say where they stand', () => {
    const text = '合同于２０２４年３月１５日签订，金额五百万元。';
    expect(valuesIn(text).map(({ term, start, end }) => [term, text.slice(start, end)])).toEqual(
      expect.arrayContaining([
        ['20240315', '２０２４年３月１５日'],
        ['5000000', '五百万'],
      ]),
    );
  });

  it('stand inside the text and are short, whatever it is', () => {
    const pieces = fc.constantFrom(
      '1',
      '23',
      '年',
      '月',
      '日',
      '十',
      '百',
      '万',
      '点',
      '.',
      ',',
      '-',
      '/',
      ' ',
      'v',
      'km',
      ':',
      '(',
      '+',
      '第',
      '％',
      'March',
      '0x',
      '𠀀',
      '·',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        for (const { term, start, end } of valuesIn(text)) {
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(term.length).toBeLessThanOrEqual(64);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(['1', '12 ', '一', '1,000,', 'a.', 'a/1', '1-', '1.', '百分之', '第', '+1 ', '(1)', '1:', 'a'])(
    'of a long row of %j cost in proportion to it',
    (unit) => {
      const cost = (length: number): number => {
        const text = unit.repeat(length / unit.length);
        const costs = Array.from({ length: 5 }, () => {
          const before = process.threadCpuUsage();
          valuesIn(text);
          const { user, system } = process.threadCpuUsage(before);
          return user + system;
        });
        return Math.min(...costs);
      };
      cost(2000);
      expect(cost(64_000)).toBeLessThan(40 * Math.max(cost(8000), 5000));
    },
  );
});

describe('a Chinese numeral', () => {
  it.each([
    ['十', '10'],
    ['十五', '15'],
    ['二十', '20'],
    ['一百零五', '105'],
    ['一千零一', '1001'],
    ['三万五千', '35000'],
    ['一亿二千万', '120000000'],
    ['三万亿', '3000000000000'],
    ['二〇二四', '2024'],
    ['两千', '2000'],
    ['伍佰万', '5000000'],
  ])('%s is %s', (written, digits) => {
    expect(readNumeral(written)).toBe(digits);
  });

  it.each(['万', '亿', '十百', '一二十', '百千'])('%s is none', (written) => {
    expect(readNumeral(written)).toBeNull();
  });
});
