/** Names that Chinese writes by their sound, met in English texts. */
import { beforeAll, expect, it } from 'vitest';
import { buildDictionary } from '../../../scripts/build-dictionary.ts';
import { type Dictionary, dictionaryFor } from '../../../src/search/translation/dictionary.ts';
import { hearNames, soundedNames } from '../../../src/search/translation/names-by-sound.ts';

let dictionary: Dictionary;

beforeAll(async () => {
  await buildDictionary();
  dictionary = dictionaryFor()()!;
});

/** What of a run of characters is heard in a text, the longest part. */
function heard(run: string, text: string): string {
  const found: string[] = [];
  hearNames(text, soundedNames([run], dictionary), (name) => found.push(name));
  return found.sort((a, b) => b.length - a.length)[0] ?? '';
}

it('are heard where the dictionary has no word of them', () => {
  for (const [run, text, name] of [
    ['杰克逊维尔是哪个国家的', 'a settlement at Jacksonville in', '杰克逊维尔'],
    ['弗雷斯诺西区', "Fresno's west side", '弗雷斯诺'],
    ['格雷厄姆特威格', 'says Graham Twigg (1984)', '格雷厄姆'],
    ['特威格对', 'says Twigg (1984)', '特威格'],
    ['威廉特伦特', 'William Trent', '特伦特'],
    ['威尔海姆', 'Wilhelm', '威尔海姆'],
  ])
    expect(heard(run!, text!), run).toBe(name);
});

it('are said with where they stand', () => {
  const places: number[] = [];
  hearNames('In Fresno, near Fresno', soundedNames(['弗雷斯诺'], dictionary), (name, at) => {
    if (name === '弗雷斯诺') places.push(at);
  });

  expect(places).toEqual([3, 16]);
});

it('are said once for each place, however often the question has them', () => {
  const names: string[] = [];
  hearNames('In Fresno', soundedNames(['弗雷斯诺', '弗雷斯诺西区'], dictionary), (name) => names.push(name));

  expect(names).toContain('弗雷斯诺');
  expect(names).toHaveLength(new Set(names).size);
});

it('are not heard where nothing but the sounds that come and go is in them', () => {
  expect(heard('里赫拉', 'Lahore')).toBe('');
  expect(soundedNames(['里赫拉', '赫尔哈里'], dictionary).size).toBe(0);
});

it('are not heard in other names, in words without a capital letter, or out of words that are no names', () => {
  expect(heard('弗雷斯诺', 'Jacksonville')).toBe('');
  expect(heard('弗雷斯诺', 'fresno')).toBe('');
  expect(heard('政府何时成立', 'Snow, Central, Science, Chinese')).toBe('');
  expect(heard('路', 'Luther')).toBe('');
});

it('are none of texts and questions without any', () => {
  for (const [run, text] of [
    ['', 'Fresno'],
    ['弗雷斯诺', ''],
    ['弗雷斯诺', '’’’ A I 5'],
    ['𠀀𠀁', 'Fresno'],
  ])
    expect(heard(run!, text!)).toBe('');
});
