import { beforeAll, describe, expect, it } from 'vitest';
import { buildDictionary } from '../../../scripts/build-dictionary.ts';
import { termsOf } from '../../../src/search/analysis/tokens.ts';
import { conceptsOf, languageOfQuestion, segmentChinese } from '../../../src/search/translation/concepts.ts';
import { type Dictionary, dictionaryFor } from '../../../src/search/translation/dictionary.ts';

let dictionary: Dictionary;

beforeAll(async () => {
  await buildDictionary();
  dictionary = dictionaryFor()()!;
});

const ofQuestion = (query: string) => conceptsOf(termsOf(query), dictionary).map(({ own }) => own.join(' '));

describe('a question', () => {
  it('is Chinese where its characters are, English where its words are', () => {
    expect(languageOfQuestion(termsOf('如何部署 Kubernetes？'))).toBe('zh');
    expect(languageOfQuestion(termsOf('Who wrote 红楼梦 in the Qing dynasty?'))).toBe('en');
    expect(languageOfQuestion(termsOf('42'))).toBe('en');
    expect(languageOfQuestion(termsOf(''))).toBe('en');
  });

  it('in Chinese is cut into as few words as the dictionary allows', () => {
    expect(segmentChinese('职业橄榄球联盟', dictionary)).toEqual(['职业', '橄榄球', '联盟']);
    expect(segmentChinese('', dictionary)).toEqual([]);
    expect(segmentChinese('囍', dictionary)).toEqual(['囍']);
  });

  it('speaks of words, not of what questions are put with', () => {
    expect(ofQuestion('请问什么是败血症？')).toEqual(['败血 血症']);
    expect(ofQuestion('怎么办理退休手续')).not.toContain('怎么');
  });

  it('in traditional characters speaks of the same as in simplified ones', () => {
    expect(conceptsOf(termsOf('車輛保險合同'), dictionary)).toEqual(conceptsOf(termsOf('车辆保险合同'), dictionary));
  });

  it('in English takes phrases before words, and irregular forms as the word they are of', () => {
    expect(ofQuestion('Who won the Super Bowl?')).toEqual(['won', 'super bowl']);
    const won = conceptsOf(termsOf('Who won the Super Bowl?'), dictionary)[0]!;
    expect(won.translations.map((wording) => wording.join(''))).toContain('赢得');
  });

  it('keeps names and numbers as they are in the other language', () => {
    const translations = conceptsOf(termsOf('NFL 在 2015 年的冠军'), dictionary).flatMap((concept) => concept.translations);
    expect(translations).toContainEqual(['nfl']);
    expect(translations).toContainEqual(['2015']);
  });

  it('of any length is read in bounds', () => {
    expect(conceptsOf(termsOf('拦截防守职业橄榄球队'.repeat(5000)), dictionary).length).toBeLessThan(50);
    expect(conceptsOf(termsOf('defence of the castle '.repeat(5000)), dictionary).length).toBeLessThan(50);
  });
});
