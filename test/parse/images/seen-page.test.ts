import { describe, expect, it } from 'vitest';
import { isOfOneScript } from '../../../src/parse/images/chinese-script.ts';
import {
  asChineseIsWritten,
  attemptsOf,
  readSurest,
  type Recognise,
  type SeenWord,
  placesOf,
  seenSize,
  seenWords,
  standInColumns,
  textOf,
} from '../../../src/parse/images/seen-page.ts';

/** Words of one line each 40 points high, 50 apart, unless a place is told. */
function line(number: number, text: string, { sureness = 90, places = [] as number[] } = {}): SeenWord[] {
  return text.split(' ').map((word, index) => {
    const left = places[index] ?? index * 50;
    return {
      line: `1 1 1 ${number}`,
      paragraph: '1 1 1',
      left,
      right: left + 40,
      top: number * 50,
      height: 40,
      sureness,
      text: word,
    };
  });
}

async function textBy(attempts: readonly string[], recognise: Recognise): Promise<string> {
  return textOf((await readSurest(attempts, recognise)).words);
}

describe('reading a page', () => {
  const readings =
    (sure: Record<string, number>, asked: string[] = []) =>
    (languages: string): SeenWord[] => {
      asked.push(languages);
      return line(1, languages, { sureness: sure[languages]! });
    };

  it('believes English that is sure, and reads nothing else', async () => {
    const asked: string[] = [];

    await readSurest(attemptsOf(['eng', 'chi_sim', 'chi_tra']), readings({ eng: 95 }, asked));

    expect(asked).toEqual(['eng']);
  });

  it('takes the script that is surest, however sure another was before it', async () => {
    const attempts = attemptsOf(['eng', 'chi_sim', 'chi_tra']);

    expect(await textBy(attempts, readings({ eng: 50, 'chi_sim+eng': 92, 'chi_tra+eng': 91 }))).toBe('chi_sim+eng');
    expect(await textBy(attempts, readings({ eng: 50, 'chi_sim+eng': 86, 'chi_tra+eng': 92 }))).toBe('chi_tra+eng');
  });

  it('takes the Chinese script that is surer of what both read otherwise, though the other be surer of what they read alike', async () => {
    const reading = (text: string, common: number, own: number): SeenWord[] =>
      line(1, text).map((word) => ({ ...word, sureness: /[们們山岀]/.test(word.text) ? own : common }));
    const readings = (one: [number, number], other: [number, number]) => (languages: string) =>
      languages.startsWith('chi_sim') ? reading('人 们 上 山', ...one) : reading('人 們 上 岀', ...other);
    const attempts = ['chi_sim', 'chi_tra'];

    expect(await textBy(attempts, readings([91, 90], [95, 80]))).toContain('们');
    expect(await textBy(attempts, readings([95, 80], [91, 90]))).toContain('們');
    expect(['人', '们', '們', 'a'].filter(isOfOneScript)).toEqual(['们', '們']);
  });

  it('has no text where nothing was seen', async () => {
    expect(await textBy(['eng'], () => [])).toBe('');
  });

  it('reads a page of Chinese again by its columns where many lines have the same gap', async () => {
    const twoColumns = Array.from({ length: 6 }, (_, number) => line(number, 'left right', { places: [0, 400] })).flat();
    const modes: string[] = [];

    await readSurest(['chi_sim+eng'], (_, mode) => {
      modes.push(mode);
      return twoColumns;
    });

    expect(modes).toEqual(['one column', 'columns']);
    expect(standInColumns(Array.from({ length: 6 }, (_, number) => line(number, 'one two')).flat())).toBe(false);
    expect(standInColumns([])).toBe(false);
  });

  it('takes words, lines and paragraphs from the table that Tesseract prints', () => {
    const row = (paragraph: number, lineNumber: number, word: string): string =>
      ['5', 1, 1, paragraph, lineNumber, 1, 10, 20, 30, 40, '91.5', word].join('\t');
    const table = [
      'level\tpage_num\tblock_num',
      '4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t',
      row(1, 1, 'one'),
      row(1, 2, 'two'),
      row(2, 1, 'three'),
    ];

    const words = seenWords(table.join('\n'));

    expect(words[0]).toEqual({
      line: '1 1 1 1',
      paragraph: '1 1 1',
      left: 10,
      right: 40,
      top: 20,
      height: 40,
      sureness: 91.5,
      text: 'one',
    });
    expect(textOf(words)).toBe('one\ntwo\n\nthree');
    expect(placesOf(words)[0]).toEqual(['one', 10, 20, 40, 60]);
    expect(seenSize(['1\t1\t0\t0\t0\t0\t0\t0\t640\t480\t-1\t', ...table].join('\n'))).toEqual({ width: 640, height: 480 });
    expect(seenSize(table.join('\n'))).toBeNull();
  });
});

describe('Chinese as it is written', () => {
  it.each([
    ['检 索 AND 文 档', '检索 AND 文档'],
    ['请到服务台询问;工作人员会编号', '请到服务台询问；工作人员会编号'],
    ['登記冊上要寫明姓名, 日期和理由,\n並保存', '登記冊上要寫明姓名，日期和理由，\n並保存'],
    ['O二六年，二OO六年，0二六年', '〇二六年，二〇〇六年，〇二六年'],
    ['set A,B; 10:30', 'set A,B; 10:30'],
    ['价格 1,000元，第10一类', '价格 1,000元，第10一类'],
  ])('%s', (seen, written) => {
    expect(asChineseIsWritten(seen)).toBe(written);
  });
});
