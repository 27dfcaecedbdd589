import { describe, expect, it } from 'vitest';
import { linkText } from '../../../src/parse/markdown/link.ts';

const form = 'https://a.example/form?id=42';

describe('linkText', () => {
  it.each([
    ['the form', `[the form](${form})`],
    [' 表格 ', ` [表格](${form}) `],
    ['[PDF] Jahresbericht', `[[PDF] Jahresbericht](${form})`],
    ['a] b', `[a\\] b](${form})`],
    ['see\nhere', `[see\nhere](${form})`],
    ['a\\] b', `[a\\] b](${form})`],
    ['C:\\[x]', `[C:\\[x\\]](${form})`],
    ['back\\', `[back\\\\](${form})`],
    ['a.example/form', `[a.example/form](${form})`],
  ])('says where %j leads', (text, linked) => {
    expect(linkText(text, form)).toBe(linked);
  });

  it('writes an address so that nothing in it ends it, wide spaces too', () => {
    expect(linkText('表', 'https://a.example/(a)\u3000b\u00a0c')).toBe('[表](https://a.example/%28a%29%E3%80%80b%C2%A0c)');
  });

  it('writes no control character into an address', () => {
    expect(linkText('form', 'https://a.example/\0a\x1bb\x7f')).toBe('[form](https://a.example/%00a%1Bb%7F)');
  });

  it.each([
    ['a.example/form?id=42', form],
    ['https://a.example/', 'https://a.example'],
    ['hr@a.example', 'mailto:hr@a.example?subject=Leave'],
    ['[one](https://a.example/1)', form],
    ['one\n\ntwo', form],
    ['text', 'javascript:alert(1)'],
    ['text', '#place'],
    ['text', undefined],
  ])('leaves %j as it is where %s says nothing more, or cannot be said', (text, target) => {
    expect(linkText(text, target)).toBe(text);
  });
});
