import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openPlainFile } from '../../../../src/parse/pdf/fast-path/file.ts';
import { NotPlain, Ref, Stream, type Value } from '../../../../src/parse/pdf/fast-path/objects.ts';
import { createPdfText, pdfOfObjects, pdfStream } from '../../../support/plain-pdf.ts';
import { makePdf } from '../../../support/pdf-writer.ts';

const opened = (...objects: string[]) => openPlainFile(pdfOfObjects(objects));
const at = (bytes: Buffer, number: number): Value => openPlainFile(bytes).resolve(new Ref(number));

/** An object stream: each object's number and text. */
function objectStream(objects: readonly (readonly [number, string])[]): string {
  let place = 0;
  const head = objects.map(([number, text]) => {
    const pair = `${number} ${place}`;
    place += text.length + 1;
    return pair;
  });
  const first = `${head.join(' ')} `;
  const data = first + objects.map(([, text]) => text).join(' ');
  const packed = deflateSync(Buffer.from(data, 'latin1')).toString('latin1');
  return pdfStream(packed, `/Type /ObjStm /N ${objects.length} /First ${first.length} /Filter /FlateDecode`);
}

describe('A plain file', () => {
  it('gives its objects by a classic table, each when it is asked for', () => {
    const file = opened('<< /A 2 0 R >>', '[1 3 0 R]', '(three)', 'null', 'true', '');
    const catalog = file.resolve(file.trailer.get('Root'));
    expect(file.get(catalog as ReadonlyMap<string, Value>, 'A')).toEqual([1, new Ref(3)]);
    expect([3, 4, 5, 6, 99].map((number) => file.resolve(new Ref(number)))).toEqual(['three', null, true, null, null]);
    expect(file.resolve(new Ref(2))).toBe(file.resolve(new Ref(2)));
    expect(file.resolve(undefined)).toBeNull();
  });

  it('gives the bytes of streams, whose length may stand elsewhere', () => {
    const packed = deflateSync(Buffer.from('packed away')).toString('latin1');
    const file = opened(
      pdfStream('as they are'),
      pdfStream(packed, '/Filter /FlateDecode'),
      '<< /Length 4 0 R >> stream\r\nlength below\r\nendstream',
      '12',
    );
    const texts = [1, 2, 3].map((number) => file.bytesOf(file.resolve(new Ref(number)) as Stream).toString());
    expect(texts).toEqual(['as they are', 'packed away', 'length below']);
  });

  it('gives its objects by a table stream, also those in object streams', () => {
    const pdf = createPdfText();
    pdf.object(1, '<< /A 3 0 R >>');
    const packed = [[3, '(three)'] as const, [4, '<< /B 3 0 R >>'] as const, [5, 'null'] as const];
    pdf.object(2, objectStream(packed));
    const table = pdf.tableStream(
      9,
      [
        [1, 1, pdf.offsets.get(1)!, 0],
        [2, 1, pdf.offsets.get(2)!, 0],
        [3, 2, 2, 0],
        [4, 2, 2, 1],
        [5, 2, 2, 2],
        [6, 0, 0, 0],
      ],
      '/Size 10 /Root 1 0 R',
    );
    const file = openPlainFile(pdf.finish(table));
    expect(file.trailer.get('Root')).toEqual(new Ref(1));
    expect([1, 3, 4, 5, 6].map((number) => file.resolve(new Ref(number)))).toEqual([
      new Map([['A', new Ref(3)]]),
      'three',
      new Map([['B', new Ref(3)]]),
      null,
      null,
    ]);
  });

  it('gives the objects of a hybrid file that its classic table calls free', () => {
    const pdf = createPdfText();
    pdf.object(1, '<< >>');
    pdf.object(2, objectStream([[3, '(hidden)']]));
    const hidden = pdf.tableStream(4, [[3, 2, 2, 0]], '/Size 5');
    const shown = [1, 2, 4].map((number) => [number, pdf.offsets.get(number)!] as const);
    const bytes = pdf.finish(pdf.table([[0, null], ...shown], `/Size 5 /Root 1 0 R /XRefStm ${hidden}`));
    expect(at(bytes, 3)).toBe('hidden');
  });

  it.each(['table', 'stream'])('takes from two tables what the newer says (a classic one and a %s)', (kind) => {
    const pdf = createPdfText();
    for (const number of [1, 2, 3]) pdf.object(number, `(old ${number})`);
    const older = pdf.table([[0, null], ...pdf.offsets], '/Size 4 /Root 1 0 R /Old true');
    pdf.object(2, '(new 2)');
    const place = pdf.offsets.get(2)!;
    const trailer = `/Size 4 /Root 2 0 R /Prev ${older}`;
    const newer =
      kind === 'table'
        ? pdf.table(
            [
              [2, place],
              [3, null],
            ],
            trailer,
          )
        : pdf.tableStream(
            5,
            [
              [2, 1, place, 1],
              [3, 0, 0, 0],
            ],
            trailer,
          );
    const file = openPlainFile(pdf.finish(newer));
    expect([1, 2, 3].map((number) => file.resolve(new Ref(number)))).toEqual(['old 1', 'new 2', null]);
    expect(file.trailer.has('Old')).toBe(false);
  });
});

describe('A file that is not plain', () => {
  const whole = pdfOfObjects(['<< /A (text) >>', '(two)']).toString('latin1');
  const edited = (from: string | RegExp, to: string) => Buffer.from(whole.replace(from, to), 'latin1');

  it.each([
    ['has nothing in it', Buffer.alloc(0)],
    ['has no startxref', edited(/startxref\s+\d+/, '')],
    ['has something behind its end', edited(/$/, 'more')],
    ['is cut short', Buffer.from(whole.slice(0, -20), 'latin1')],
    ['has its table elsewhere', edited(/startxref\n\d+/, 'startxref\n9')],
    ['has its table behind its end', edited(/startxref\n\d+/, 'startxref\n999999')],
    ['has a table of words', edited('0 1\n', 'zero one\n')],
    ['has a table without a trailer', edited('trailer', 'tailer!')],
    ['has a trailer that is no dictionary', edited(/trailer\n<<.*>>/, 'trailer\n(none)')],
    ['has a table of a million objects', edited('0 1\n', '0 1000001\n')],
    ['says that it is encrypted', pdfOfObjects(['<< >>'], '/Encrypt << /Filter /Standard >>')],
    ['is encrypted', makePdf({ pages: [['Secret']], userPassword: '' })],
    ['has tables in a circle', edited('/Root', `/Prev ${whole.lastIndexOf('xref\n0')} /Root`)],
  ])('%s', (_, bytes) => {
    expect(() => openPlainFile(bytes)).toThrow(NotPlain);
  });

  it.each([
    ['where another object is', edited('2 0 obj', '3 0 obj')],
    ['where no object is', edited('2 0 obj', '2 0 job')],
    ['where an object is a word', edited('(two)', 'two')],
    ['where an object has no end', edited('(two)', '(two')],
  ])('has a table that leads %s', (_, bytes) => {
    expect(() => at(bytes, 2)).toThrow(NotPlain);
  });

  it.each([
    ['too short', pdfStream('twelve bytes').replace('12', '11')],
    ['too long', pdfStream('twelve bytes').replace('12', '15')],
    ['past the end of the file', pdfStream('twelve bytes').replace('12', '120000')],
    ['less than nothing', pdfStream('twelve bytes').replace('12', '-1')],
    ['no number', pdfStream('twelve bytes').replace('12', '/Long')],
    ['not there', pdfStream('twelve bytes').replace('/Length', '/Width')],
    ['the stream itself', pdfStream('twelve bytes').replace('12', '1 0 R')],
  ])('has a stream whose length is %s', (_, stream) => {
    const file = opened(stream);
    expect(() => file.bytesOf(file.resolve(new Ref(1)) as Stream)).toThrow(NotPlain);
  });

  it('makes the same stream into little again and again', () => {
    const packed = deflateSync('A').toString('latin1') + ' '.repeat(8 * 1024 * 1024);
    const file = opened(pdfStream(packed, '/Filter /FlateDecode'));
    const stream = file.resolve(new Ref(1)) as Stream;
    for (let times = 0; times < 60; times++) expect(file.bytesOf(stream).toString()).toBe('A');
    expect(() => Array.from({ length: 5 }, () => file.bytesOf(stream))).toThrow(NotPlain);
  });

  it.each([
    ['is itself', ['2 0 R', '2 0 R']],
    ['is another and back', ['2 0 R', '1 0 R']],
    ['goes on and on', Array.from({ length: 20 }, (_, index) => `${index + 2} 0 R`)],
  ])('has a reference that %s', (_, objects) => {
    expect(() => at(pdfOfObjects(objects), 1)).toThrow(NotPlain);
  });

  const three = objectStream([[3, '(three)']]);

  it.each([
    ['is none', '<< >>', 2, 0],
    ['has fewer objects than it says', three.replace('/N 1', '/N 2'), 2, 0],
    ['has no count', three.replace('/N 1', ''), 2, 0],
    ['has a word in it', objectStream([[3, 'three']]), 2, 0],
    ['lacks the object', three, 2, 1],
    ['lies in itself', three, 3, 0],
    ['is not there', three, 7, 0],
  ])('has an object stream that %s', (_, body, container, index) => {
    const pdf = createPdfText();
    pdf.object(2, body);
    const entries = [[2, 1, pdf.offsets.get(2)!, 0] as const, [3, 2, container, index] as const];
    const bytes = pdf.finish(pdf.tableStream(9, entries, '/Size 10 /Root 3 0 R'));
    expect(() => at(bytes, 3)).toThrow(NotPlain);
  });

  it.each([
    ['of another type', '/XRef', '/XObject'],
    ['without widths', '/W [1 4 2]', ''],
    ['with two widths', '/W [1 4 2]', '/W [1 4]'],
    ['with a width of seven bytes', '/W [1 4 2]', '/W [1 7 2]'],
    ['without a size', '/Size 3', ''],
    ['that is cut short', '/Index [1 1]', '/Index [1 2]'],
  ])('has a table stream %s', (_, from, to) => {
    const pdf = createPdfText();
    pdf.object(1, '<< >>');
    const bytes = pdf.finish(pdf.tableStream(2, [[1, 1, pdf.offsets.get(1)!, 0]], '/Size 3 /Root 1 0 R'));
    expect(at(bytes, 1)).toEqual(new Map());
    const odd = Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
    expect(() => openPlainFile(odd)).toThrow(NotPlain);
  });
});
