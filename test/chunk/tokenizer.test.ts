import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, offsetAfterTokens } from '../../src/chunk/tokenizer.ts';

describe('countTokens', () => {
  it.each([
    ['', 0],
    ['search', 1],
    ['internationalization', 3],
    ['in 2026', 3],
    ['检索增强生成', 6],
    ['検索エンジン', 6],
    ['검색 엔진', 4],
    ['a, b', 3],
    ['----------', 3],
    ['😀😀', 2],
    ['naïve café', 2],
    ['поиск', 1],
    ['ＡＢＣ１２', 2],
  ])('counts %j as %i', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it('stops where the tokens are used up, never between two surrogates', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 0, max: 80 }), (text, tokens) => {
        const offset = offsetAfterTokens(text, 0, text.length, tokens);
        expect(countTokens(text, 0, offset)).toBeLessThanOrEqual(tokens);
        expect(text.slice(0, offset).isWellFormed()).toBe(text.isWellFormed() || text.slice(0, offset).isWellFormed());
        if (offset < text.length) expect(countTokens(text, 0, Math.min(text.length, offset + 9))).toBeGreaterThan(0);
      }),
    );
  });
});
