import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { buildDictionary } from '../../../scripts/build-dictionary.ts';
import { type Dictionary, dictionaryFor, dictionaryIn } from '../../../src/search/translation/dictionary.ts';

let dictionary: Dictionary;

beforeAll(async () => {
  await buildDictionary();
  dictionary = dictionaryFor()()!;
});

it('knows words both ways, as the index folds and stems them', () => {
  expect(dictionary.english('拦截')).toContain('intercept');
  expect(dictionary.chinese('panther')).toContain('豹');
  expect(dictionary.chinese('super bowl')).toContain('超级碗');
  expect(dictionary.english('超级碗')).toContain('super bowl');
});

it('knows names by the name alone, without what the dictionary says of them', () => {
  expect(dictionary.chinese('genghi khan')).toContain('成吉思汗');
  expect(dictionary.chinese('shen kuo')).toContain('沈括');
});

it('knows which characters are said alike, whatever their tones, in either reading', () => {
  expect(dictionary.homophones('政')).toEqual(expect.arrayContaining(['正', '证', '郑']));
  expect(dictionary.homophones('行')).toEqual(expect.arrayContaining(['航', '型']));
  expect(dictionary.homophones('政')).not.toContain('政');
  expect(dictionary.homophones('a')).toEqual([]);
});

it('tells how far its words and phrases go as if each length were looked up', () => {
  const texts = ['职业橄榄球联盟', '超级碗是什么', '一丁不识', '囍', '拦截防守队员的总冠军', '中华人民共和国国务院'];
  for (const text of texts) {
    for (let from = 0; from < text.length; from += 1) {
      const characters = Array.from(text.slice(from));
      const lengths = characters.flatMap((_, i) =>
        i > 0 && dictionary.english(characters.slice(0, i + 1).join('')).length > 0 ? [i + 1] : [],
      );
      expect(dictionary.lengthsOfWords(characters), text.slice(from)).toEqual(lengths);
    }
  }
  const phrases = ['super bowl', 'super bowl won', '100 meter dash', 'genghi khan', 'artifici intellig', 'zzzz bowl', 'a'];
  for (const phrase of phrases) {
    const terms = phrase.split(' ');
    const chineseOf = (length: number) => dictionary.chinese(terms.slice(0, length).join(' '));
    const length = terms.map((_, i) => terms.length - i).find((each) => chineseOf(each).length > 0) ?? 1;
    expect(dictionary.longestPhrase(terms), phrase).toEqual({ length, chinese: chineseOf(length) });
  }
});

it('answers nothing for what it lacks', () => {
  for (const word of ['', '没有这个词条', 'zzzz', '\t', '|', '拦', 'a\nb'])
    expect(dictionary.chinese(word), JSON.stringify(word)).toEqual([]);
  expect(dictionary.english('')).toEqual([]);
});

it('finds every key of a table, the first and the last too, and none beside them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dictionary-'));
  const keys = ['a', 'ab', 'abc', 'b', 'é', '一', '丁', '𠀀'];
  const lines = keys.map((key, i) => Buffer.from(`${key}\t${'v'.repeat(i * 40)}${i}|x\n`)).sort((a, b) => Buffer.compare(a, b));
  await writeFile(join(folder, 'zh-en.tsv'), Buffer.concat(lines));
  for (const name of ['en-zh.tsv', 'pinyin.tsv']) await writeFile(join(folder, name), '');
  const small = dictionaryIn(folder)!;

  for (const [i, key] of keys.entries()) expect(small.english(key)).toEqual([`${'v'.repeat(i * 40)}${i}`, 'x']);
  for (const key of ['', 'A', 'aa', 'abcd', 'c', '丂', '\uffff']) expect(small.english(key), key).toEqual([]);
  expect(small.chinese('a')).toEqual([]);
  await rm(folder, { recursive: true });
});

it('is none where its tables were not made, and where it is not wanted', () => {
  expect(dictionaryIn('/nonexistent')).toBeNull();
  expect(dictionaryFor(false)()).toBeNull();
});
