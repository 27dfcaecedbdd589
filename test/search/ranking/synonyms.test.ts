import { describe, expect, it } from 'vitest';
import { synonymTerms } from '../../../src/search/ranking/synonyms.ts';

const groups = [
  ['salary', 'pay', 'wages'],
  ['年假', '带薪休假'],
  ['HR', 'human resources'],
];

const termsFor = (query: string): string[] => synonymTerms(query, groups).map(({ term }) => term);

describe('the synonyms of a question', () => {
  it('are the terms of the other members of a group that has a member in it', () => {
    expect(termsFor('When is the pay due?')).toEqual(['salari', 'wage']);
    expect(termsFor('年假有几天')).toEqual(expect.arrayContaining(['带薪', '休假']));
    expect(termsFor('ＨＲ的规定')).toEqual(['human', 'resourc']);
  });

  it('are none where a member is only a part of another word', () => {
    expect(termsFor('payment, three, hrs')).toEqual([]);
    expect(termsFor('')).toEqual([]);
  });

  it('say which word of the question they stand for', () => {
    expect(synonymTerms('pay', groups)[0]).toEqual({ term: 'salari', of: 'pai' });
  });
});
