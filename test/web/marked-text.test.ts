import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { excerpt, withoutRules } from '../../src/web/marked-text.tsx';
import { wholeLines } from '../../src/web/long-text.ts';

describe('an excerpt', () => {
  it('keeps the first mark in sight and the offsets on their words', () => {
    const text = `${'filler words '.repeat(100)}the lamp is here ${'more words '.repeat(100)}`;
    const at = text.indexOf('lamp');

    const part = excerpt(text, [[at, at + 4]], 120);

    expect(part.text.length).toBeLessThan(130);
    expect(part.ranges.map(([start, end]) => part.text.slice(start, end))).toEqual(['lamp']);
  });

  it('leaves a short text as it is', () => {
    expect(excerpt('短文本', [[0, 1]], 120)).toEqual({ text: '短文本', ranges: [[0, 1]] });
  });
});

it('running text is shown without table rules and heading marks', () => {
  expect(withoutRules('## Head\n| a | b |\n| --- | :---: |\n| 1 | 2 |')).toBe('Head\n| a | b |\n\n| 1 | 2 |');
});

it('a stretch of text is widened to whole lines', () => {
  const text = 'one\ntwo\nthree\nfour';

  expect(text.slice(...wholeLines(text, 5, 9))).toBe('two\nthree');
  expect(text.slice(...wholeLines(text, 0, 100))).toBe(text);
});

it('marks and everything else are made of text nodes: nowhere does the page take a string for HTML or for code [S42]', () => {
  const page = fileURLToPath(new URL('../../src/web', import.meta.url));
  const sources = readdirSync(page, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$|\.html$/.test(name));
  const doors =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser|createContextualFragment|srcdoc|\beval\(|new Function|javascript:/i;

  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter((name) => doors.test(readFileSync(join(page, name), 'utf8')))).toEqual([]);
});
