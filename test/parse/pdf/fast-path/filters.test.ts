import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeStream } from '../../../../src/parse/pdf/fast-path/filters.ts';
import { createBudget, createLexer, type Dict, NotPlain, type Value } from '../../../../src/parse/pdf/fast-path/objects.ts';

function decode(data: Buffer, dictionary: string, bytesMax = 10_000): Buffer {
  const dict = createLexer(Buffer.from(`<< ${dictionary} >>`), createBudget(100)).next() as Dict;
  const get = (dict: Dict, key: string): Value => dict.get(key) ?? null;
  return decodeStream(data, dict, get, bytesMax);
}

/** Rows that are predicted already, each with its type before it. */
function unpredict(rows: readonly (readonly number[])[], parameters: string): number[] {
  return [...decode(deflateSync(Buffer.from(rows.flat())), `/Filter /FlateDecode /DecodeParms << ${parameters} >>`)];
}

describe('decodeStream', () => {
  const text = Buffer.from('The same words again, the same words again.');

  it.each(['', '/Filter null', '/Filter []'])('leaves data as they are with %j', (dictionary) => {
    expect(decode(text, dictionary)).toEqual(text);
  });

  it.each([
    '/Filter /FlateDecode',
    '/Filter [/FlateDecode]',
    '/Filter /FlateDecode /DecodeParms null',
    '/Filter [/FlateDecode] /DecodeParms [null]',
    '/Filter /FlateDecode /DecodeParms << /Predictor 1 /Columns 5 >>',
  ])('inflates with %s', (dictionary) => {
    expect(decode(deflateSync(text), dictionary)).toEqual(text);
  });

  it('inflates data that end early as far as they go', () => {
    const long = Buffer.from(Array.from({ length: 2000 }, (_, index) => (index * index) % 251));
    const inflated = decode(deflateSync(long).subarray(0, 200), '/Filter /FlateDecode');
    expect(inflated.length).toBeGreaterThan(100);
    expect(long.subarray(0, inflated.length)).toEqual(inflated);
  });

  it.each([
    '/Filter /LZWDecode',
    '/Filter /DCTDecode',
    '/Filter /Crypt',
    '/Filter (FlateDecode)',
    '/Filter [/ASCIIHexDecode /FlateDecode]',
    '/F (elsewhere) /Filter /FlateDecode',
    '/Filter [/FlateDecode /LZWDecode]',
    '/Filter [/ASCII85Decode /ASCII85Decode /FlateDecode]',
    '/F (elsewhere.bin)',
  ])('does not decode %s', (dictionary) => {
    expect(() => decode(deflateSync(text), dictionary)).toThrow(NotPlain);
  });

  it('gives up on damaged data', () => {
    const packed = deflateSync(text);
    expect(() => decode(text, '/Filter /FlateDecode')).toThrow(NotPlain);
    expect(() =>
      decode(Buffer.concat([packed.subarray(0, -1), Buffer.from([packed.at(-1)! ^ 1])]), '/Filter /FlateDecode'),
    ).toThrow(NotPlain);
  });

  it('gives up on more bytes than it may make', () => {
    const packed = deflateSync(Buffer.alloc(5000));
    expect(decode(packed, '/Filter /FlateDecode', 5000)).toHaveLength(5000);
    expect(() => decode(packed, '/Filter /FlateDecode', 4999)).toThrow(NotPlain);
  });
});

describe('ASCII85', () => {
  const decoded = (data: string, bytesMax?: number) => decode(Buffer.from(data), '/Filter /ASCII85Decode', bytesMax);

  /** From the digits' definition, group by group. */
  function encode(data: Buffer): string {
    let text = '';
    for (let at = 0; at < data.length; at += 4) {
      const group = Buffer.alloc(4);
      const length = data.copy(group, 0, at, at + 4);
      const value = group.readUInt32BE();
      const digits = [4, 3, 2, 1, 0].map((power) => String.fromCharCode(33 + (Math.floor(value / 85 ** power) % 85))).join('');
      text += value === 0 && length === 4 ? 'z' : digits.slice(0, length + 1);
    }
    return `${text}~>`;
  }

  it.each([
    ['9jqo^BlbD-BleB1DJ+*+F(f,q~>', 'Man is distinguished'],
    ['9jqo^~>', 'Man '],
    ['9jqo~>', 'Man'],
    ['9jn~>', 'Ma'],
    ['9`~>', 'M'],
    ['~>', ''],
    [' 9j\nqo\r^\t\0BlbD-~>', 'Man is d'],
    ['z9jqo^z~>', '\0\0\0\0Man \0\0\0\0'],
    ['s8W-!~>', '\xff\xff\xff\xff'],
  ])('%j is %j', (data, text) => {
    expect(decoded(data).toString('latin1')).toBe(text);
  });

  it('gives back bytes of any length and value', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => (index < 8 ? 0 : (index * 101 + length * 7) % 256)));
      expect(decoded(encode(bytes))).toEqual(bytes);
    }
  });

  it('stands around Flate, whose predictor is the second of the parameters', () => {
    const text = Buffer.from('The same words again, the same words again.');
    const filters = '/Filter [/ASCII85Decode /FlateDecode]';
    expect(decode(Buffer.from(encode(deflateSync(text))), filters)).toEqual(text);
    const row = Buffer.from(encode(deflateSync(Buffer.from([1, 5, 1, 1]))));
    expect([...decode(row, `${filters} /DecodeParms [null << /Predictor 15 /Columns 3 >>]`)]).toEqual([5, 6, 7]);
  });

  it('gives up on text that is longer than that of a page, and on ASCII85 in ASCII85 in Flate', () => {
    const padded = (blanks: number) => decoded(`9jqo^${' '.repeat(blanks)}~>`, 32 * 1024 * 1024);
    expect(padded(1000).toString()).toBe('Man ');
    expect(() => padded(4 * 1024 * 1024)).toThrow(NotPlain);
    const text = Buffer.from(encode(Buffer.from(encode(deflateSync(Buffer.from('text'))))));
    const twice = '/Filter [/ASCII85Decode /ASCII85Decode]';
    expect(decode(text, twice)).toEqual(deflateSync(Buffer.from('text')));
    expect(() => decode(text, twice.replace(']', ' /FlateDecode]'))).toThrow(NotPlain);
  });

  it.each([
    ['without an end', '9jqo^'],
    ['with a single digit at the end', '9jqo^9~>'],
    ['with a digit that there is not', '9jqo{~>'],
    ['with zeros inside a group', '9jz~>'],
    ['of a group that is too large', 's8W-"~>'],
  ])('gives up on data %s', (_, data) => {
    expect(() => decoded(data)).toThrow(NotPlain);
  });

  it('gives up on more bytes than it may make', () => {
    expect(decoded(`${'z'.repeat(25)}~>`, 100)).toHaveLength(100);
    expect(() => decoded(`${'z'.repeat(27)}~>`, 100)).toThrow(NotPlain);
  });
});

describe('PNG predictors', () => {
  const above = [0, 10, 20, 30, 40, 40];

  it.each([
    ['none', [0, 1, 2, 3, 4, 255], [1, 2, 3, 4, 255]],
    ['the pixel before', [1, 5, 1, 1, 250, 2], [5, 6, 7, 1, 3]],
    ['the pixel above', [2, 1, 2, 3, 220, 0], [11, 22, 33, 4, 40]],
    ['the mean of both', [3, 1, 1, 1, 1, 200], [6, 14, 23, 32, 236]],
    ['the nearest of three', [4, 1, 0, 250, 0, 7], [11, 20, 24, 30, 37]],
  ])('add %s', (_, row, expected) => {
    expect(unpredict([above, row], '/Predictor 15 /Columns 5')).toEqual([10, 20, 30, 40, 40, ...expected]);
  });

  it.each([
    [2, [1, 2, 3]],
    [3, [1, 2, 4]],
    [4, [1, 3, 6]],
  ])('take zeros for what is above the first row (type %i)', (type, expected) => {
    expect(unpredict([[type, 1, 2, 3]], '/Predictor 12 /Columns 3')).toEqual(expected);
  });

  it('take the pixel above where the one before that is as near', () => {
    const rows = [
      [0, 20, 40],
      [4, 246, 1],
    ];
    expect(unpredict(rows, '/Predictor 15 /Columns 2')).toEqual([20, 40, 10, 41]);
  });

  it('look back a whole pixel, and a byte where a pixel is smaller', () => {
    expect(unpredict([[1, 1, 2, 3, 4, 5, 6]], '/Predictor 11 /Columns 2 /Colors 3')).toEqual([1, 2, 3, 5, 7, 9]);
    expect(unpredict([[1, 0, 1, 0, 1]], '/Predictor 11 /Columns 2 /BitsPerComponent 16')).toEqual([0, 1, 0, 2]);
    const bits = [
      [1, 1, 2],
      [2, 1, 1],
    ];
    expect(unpredict(bits, '/Predictor 15 /Columns 10 /BitsPerComponent 1')).toEqual([1, 3, 2, 4]);
  });

  it('have one column of one byte unless told', () => {
    const rows = [
      [2, 7],
      [2, 1],
      [2, 1],
    ];
    expect(unpredict(rows, '/Predictor 12')).toEqual([7, 8, 9]);
  });

  it.each([
    ['a type that there is not', 5, '/Predictor 15 /Columns 5'],
    ["TIFF's predictor", 0, '/Predictor 2 /Columns 5'],
    ['no columns', 0, '/Predictor 15 /Columns 0'],
    ['columns that are no number', 0, '/Predictor 15 /Columns /Five'],
    ['a row of a gigabyte', 0, '/Predictor 15 /Columns 1000000000'],
  ])('are not undone with %s', (_, type, parameters) => {
    expect(() => unpredict([[type, 1, 2, 3, 4, 5]], parameters)).toThrow(NotPlain);
  });
});
