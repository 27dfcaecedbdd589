import { describe, expect, it } from 'vitest';
import { createBudget, createLexer, Name, NotPlain, Ref, type Value, Word } from '../../../../src/parse/pdf/fast-path/objects.ts';

function lexerOf(text: string, withRefs = false, valuesMax = 1000) {
  return createLexer(Buffer.from(text, 'latin1'), createBudget(valuesMax), withRefs);
}

function readAll(text: string, withRefs = false, valuesMax = 1000): (Value | Word)[] {
  const lexer = lexerOf(text, withRefs, valuesMax);
  const tokens: (Value | Word)[] = [];
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) tokens.push(token);
  return tokens;
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('The lexer', () => {
  it.each([
    ['0', 0],
    ['+17', 17],
    ['-98', -98],
    ['0007', 7],
    ['4.', 4],
    ['34.5', 34.5],
    ['-.002', -0.002],
    ['.25', 0.25],
    ['12345.678', 12_345.678],
    [`0.${'3'.repeat(40)}`, 1 / 3],
  ])('reads the number %s', (text, value) => {
    const [read, ...rest] = readAll(text);
    expect(read).toBeCloseTo(value, 12);
    expect(rest).toEqual([]);
  });

  it('reads true and false, and null where it is a value', () => {
    expect(readAll('true false [null true]')).toEqual([true, false, [null, true]]);
  });

  it.each([
    ['/Name1', 'Name1'],
    ['/A;Name_With-Various***Characters?', 'A;Name_With-Various***Characters?'],
    ['/Lime#20Green', 'Lime Green'],
    ['/paired#28#29parentheses', 'paired()parentheses'],
    ['/The_Key_of_F#23_Minor', 'The_Key_of_F#_Minor'],
    ['/A#zz', 'A#zz'],
    ['/', ''],
  ])('reads the name %s', (text, name) => {
    expect(readAll(text)).toEqual([new Name(name)]);
  });

  it('ends a name, a word and a number where something else begins', () => {
    expect(readAll('/A/B(c)/D<64>/E[1]BT/F%\n1(x)T*')).toEqual([
      new Name('A'),
      new Name('B'),
      'c',
      new Name('D'),
      'd',
      new Name('E'),
      [1],
      new Word('BT'),
      new Name('F'),
      1,
      'x',
      new Word('T*'),
    ]);
  });

  it.each([
    ['()', ''],
    ['(plain)', 'plain'],
    ['(with (nested (pairs)) inside)', 'with (nested (pairs)) inside'],
    [String.raw`(a \( b \) c \\ d)`, 'a ( b ) c \\ d'],
    [String.raw`(\n\r\t\b\f\q)`, '\n\r\t\b\fq'],
    [String.raw`(\101\1012\7\0053\400)`, 'AA2\x07\x053\x00'],
    ['(one \\\ntwo \\\r\nthree \\\rfour)', 'one two three four'],
    ['(one\ntwo\r\nthree\rfour)', 'one\ntwo\nthree\nfour'],
    ['(50 % off \xe9\xff\x00)', '50 % off \xe9\xff\x00'],
    ['<48656c6C6F>', 'Hello'],
    ['< 48\n65 6 c6c\t6f >', 'Hello'],
    ['<417>', 'Ap'],
    ['<>', ''],
  ])('reads the string %j', (text, value) => {
    expect(readAll(text)).toEqual([value]);
  });

  it('reads arrays and dictionaries in each other', () => {
    expect(readAll('[1 (a) /B [<< /C [2] >>] true]<</D<</E 3>>/F null>>')).toEqual([
      [1, 'a', new Name('B'), [new Map([['C', [2]]])], true],
      new Map<string, Value>([
        ['D', new Map([['E', 3]])],
        ['F', null],
      ]),
    ]);
  });

  it('reads operators as words', () => {
    expect(readAll(`BT T* ' " b* someLongerWord`)).toEqual(
      ['BT', 'T*', "'", '"', 'b*', 'someLongerWord'].map((text) => new Word(text)),
    );
  });

  it('passes over comments and all blanks', () => {
    expect(readAll('% first\r1 %second\n\0\t\f[2%third]\n3]%last')).toEqual([1, [2, 3]]);
    expect(readAll(' \n')).toEqual([]);
  });

  it('reads references where they are asked for', () => {
    expect(readAll('[12 0 R 3 4 5 0 R/A] << /B 6 1 R >> 7 0 R 8 0 obj', true)).toEqual([
      [new Ref(12), 3, 4, new Ref(5), new Name('A')],
      new Map([['B', new Ref(6)]]),
      new Ref(7),
      8,
      0,
      new Word('obj'),
    ]);
    expect(readAll('12 0 R')).toEqual([12, 0, new Word('R')]);
    expect(() => readAll('[12 0 R]')).toThrow(NotPlain);
  });

  it.each(['-1 0 R', '1.5 0 R', '1 0 RG', '1 -0 R'])('sees no reference in %s', (text) => {
    expect(readAll(text, true)).not.toContainEqual(expect.any(Ref));
    expect(readAll(text, true)).toHaveLength(3);
  });

  it('goes on where it is put', () => {
    const lexer = lexerOf('1 (two) /Three');
    expect([lexer.next(), lexer.position]).toEqual([1, 1]);
    lexer.position = 8;
    expect(lexer.next()).toEqual(new Name('Three'));
    expect(lexer.next()).toBeUndefined();
    lexer.position = 0;
    expect(lexer.next()).toBe(1);
  });

  it.each([
    '1'.repeat(400),
    '+',
    '-',
    '.',
    '--1',
    '1.2.3',
    '12pt',
    '1e5',
    '>',
    '{',
    '}',
    ')',
    ']',
    '>>',
    '(never (ends)',
    '(ends in \\',
    '<41',
    '<4g>',
    '[1',
    '[1 >>',
    '[BT]',
    '[[BT]]',
    '<< /A 1',
    '<< /A',
    '<< /A >>',
    '<< /A 1 ]',
    '<< /A BT >>',
    '<< 1 2 >>',
    '<< (A) 1 >>',
  ])('is not sure of %s', (text) => {
    expect(() => readAll(text)).toThrow(NotPlain);
    expect(() => readAll(text, true)).toThrow(NotPlain);
  });

  it.each([
    ['in hexadecimal', `<${'41'.repeat(1_000_001)}>`],
    ['with escapes', `(\\101${'A'.repeat(1_000_001)})`],
  ])('gives up on a string of more than a megabyte %s', (_, text) => {
    expect(() => readAll(text)).toThrow(NotPlain);
  });

  it('gives up where objects are nested too deep', () => {
    expect(readAll(nested(64))).toHaveLength(1);
    expect(() => readAll(nested(65))).toThrow(NotPlain);
    expect(() => readAll('<</A['.repeat(100_000))).toThrow(NotPlain);
  });
});

describe('The budget of a lexer', () => {
  it('is spent on what arrays and dictionaries hold, and on nothing else', () => {
    const text = '[1 2 [3]] << /A 4 >> 5 (six) BT';
    expect(readAll(text, false, 5)).toHaveLength(5);
    expect(() => readAll(text, false, 4)).toThrow(NotPlain);
  });

  it('is one for all that share it', () => {
    const budget = createBudget(3);
    const next = () => createLexer(Buffer.from('[1 2]'), budget).next();
    expect(next()).toEqual([1, 2]);
    expect(next).toThrow(NotPlain);
  });
});
