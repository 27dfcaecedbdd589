import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotPlain } from '../../../../src/parse/pdf/fast-path/objects.ts';
import {
  type ContentOptions,
  linesOf,
  type PageReading,
  pdfOfContent,
  pdfStream,
  readByPdfium,
  readPlainly,
} from '../../../support/plain-pdf.ts';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plain-content-'));
  path = join(folder, 'file.pdf');
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string, options?: ContentOptions): Promise<PageReading> {
  await writeFile(path, pdfOfContent(content, options));
  return (await readPlainly(path)).pages[0]!;
}

/** The one page that both readers read. */
async function readByBoth(content: string, options?: ContentOptions): Promise<PageReading> {
  const plain = await read(content, options);
  expect(plain).toEqual((await readByPdfium(path)).pages[0]);
  return plain;
}

const textOf = async (content: string, options?: ContentOptions) => linesOf(await readByBoth(content, options));
const shown = (operators: string) => `BT /F1 10 Tf 72 700 Td ${operators} ET`;

const form = (content: string, dictionary = '') =>
  pdfStream(content, `/Type /XObject /Subtype /Form /BBox [0 0 595 842] ${dictionary}`);
const ownFont = '/Resources << /Font << /F1 5 0 R >> >>';

describe('Text of a content stream', () => {
  it.each([
    ['[(Ker) -80 (ned)] TJ', ['Kerned']],
    ['[(two) -300 (words)] TJ', ['two words']],
    ['[(A) 120 (W) 90 (AY)] TJ', ['AWAY']],
    ['[(one) -250 (and) -250 (two)] TJ', ['one and two']],
    ['[] TJ (after nothing) Tj', ['after nothing']],
    ['(two words) Tj', ['two words']],
    ['<48656c6c6f> Tj', ['Hello']],
    ['(one) Tj 20 0 Td (two) Tj', ['one two']],
    ['(one) Tj 0 -14 Td (two) Tj', ['one', 'two']],
    ['14 TL (one) Tj T* (two) Tj T* (three) Tj', ['one', 'two', 'three']],
    ['(one) Tj 0 -14 TD (two) Tj T* (three) Tj', ['one', 'two', 'three']],
    ["14 TL (one) Tj (two) ' (three) '", ['one', 'two', 'three']],
    ['14 TL (one) Tj 3 0 (two words) " 0 0 (three) "', ['one', 'two words', 'three']],
    ['1 Tc (wide) Tj', ['wide']],
    ['2 Tc (CHAPTER) Tj', ['CHAPTER']],
    ['3 Tc [(CHA) -300 (PTER)] TJ', ['CHA PTER']],
    ['-0.9 Tc [(p) -90 (e) -90 (r) -90 (f) -90 (o) -90 (r) -90 (m)] TJ', ['perform']],
    ['2 Tc [(p) 200 (e) 200 (r) -40 (f) 200 (o) 200 (r) 200 (m)] TJ', ['per form']],
    ['0.9 Tc [(p) 90 (e) 90 (r) -300 (f) 90 (o) 90 (r) 90 (m)] TJ', ['per form']],
    ['3 Tw (two words) Tj', ['two words']],
    ['50 Tz (narrow words) Tj', ['narrow words']],
    ['200 Tz [(broad) -300 (words)] TJ', ['broad words']],
    ['(x) Tj 2 Ts (2) Tj 0 Ts ( and y) Tj', ['x2 and y']],
    ['3 Tr (hidden) Tj', ['hidden']],
    ['2 Tr (thick) Tj', ['*thick*']],
    ['1 0 0 1 100 600 Tm (placed) Tj', ['placed']],
    ['2 0 0 2 100 600 Tm (doubled) Tj', ['doubled']],
    ['(caf\\351 \\223quoted\\224 \\200) Tj', ['café “quoted” €']],
  ])('shown by %s', async (operators, lines) => {
    expect(await textOf(shown(operators))).toEqual(lines);
  });

  it('is as large as the matrices make it', async () => {
    const read = await readByBoth(
      'q 2 0 0 2 0 0 cm BT /F1 10 Tf 1.5 0 0 1.5 36 300 Tm (large) Tj ET Q BT /F1 10 Tf 72 72 Td (small) Tj ET',
    );
    expect(read.spans).toEqual([['large (30 at 242)', 'small (10 at 770)']]);
  });

  it('goes back to the state that was saved', async () => {
    expect((await readByBoth('q 1 0 0 1 0 100 cm Q BT /F1 10 Tf 72 100 Td (here) Tj ET Q')).spans).toEqual([['here (10 at 742)']]);
  });

  it('is read once where it is struck twice, a hair beside itself', async () => {
    expect(await textOf(`${shown('(Struck twice) Tj')} BT /F1 10 Tf 72.3 700 Td (Struck twice) Tj ET`)).toEqual(['Struck twice']);
    expect(await textOf(`${shown('(again) Tj')} BT /F1 10 Tf 72 650 Td (again) Tj ET`)).toEqual(['again', 'again']);
  });

  it('is the text that stands for what is marked', async () => {
    expect(await textOf(shown('/Span << /ActualText (fi) >> BDC (X) Tj EMC (nal) Tj'))).toEqual(['final']);
    const deep = `/Span << /ActualText (fi) >> BDC ${'/P BMC '.repeat(300)}(X) Tj ${'EMC '.repeat(301)}(nal) Tj`;
    expect(await textOf(shown(deep))).toEqual(['final']);
    expect(await textOf(shown('/Span << /ActualText <feff4e2d> >> BDC (XY) Tj EMC (.) Tj'))).toEqual(['中.']);
    expect(await textOf(shown('/P << /MCID 0 >> BDC (one) Tj EMC /Artifact BMC ( two) Tj EMC'))).toEqual(['one two']);
    const named = { resources: '/Properties << /M1 << /ActualText (three) >> >>' };
    expect(await textOf(shown('/Span /M1 BDC (3) Tj EMC'), named)).toEqual(['three']);
  });

  it('is nothing where nothing stands for what is marked', async () => {
    expect(linesOf(await read(shown('/Span << /ActualText () >> BDC (drawn) Tj EMC')))).toEqual([]);
  });

  it('goes on behind pictures that lie inside it', async () => {
    const picture = `q 40 0 0 40 72 600 cm BI /W 4 /H 2 /BPC 8 /CS /G ID \x00EI\xffEI\x80\x01 EI Q`;
    expect(await textOf(`${picture} ${shown('(after the picture) Tj')}`)).toEqual(['after the picture']);
  });

  it('is read through what this reader knows nothing of', async () => {
    const content = `0.5 g /Cs1 cs 1 0 0 scn [3 2] 0 d 1 j BX 1 2 unknown EX ${shown('(read) Tj')}`;
    expect(await textOf(content)).toEqual(['read']);
  });
});

describe('Forms', () => {
  it('are read where they are drawn, in each other too', async () => {
    const objects = [
      form(
        `${shown('(outer) Tj')} /X2 Do`,
        '/Matrix [1 0 0 1 0 -100] /Resources << /Font << /F1 5 0 R >> /XObject << /X2 7 0 R >> >>',
      ),
      form(shown('(inner) Tj'), `/Matrix [0.5 0 0 0.5 10 0] ${ownFont}`),
    ];
    const read = await readByBoth(`q 1 0 0 1 20 0 cm /X1 Do Q ${shown('(page) Tj')}`, {
      resources: '/XObject << /X1 6 0 R >>',
      objects,
    });
    expect(read.spans).toEqual([['outer (10 at 242)', 'inner (5 at 592)', 'page (10 at 142)']]);
  });

  it('are read with the resources of the page where they have none', async () => {
    expect(await textOf('/X1 Do', { resources: '/XObject << /X1 6 0 R >>', objects: [form(shown('(lent) Tj'))] })).toEqual([
      'lent',
    ]);
  });

  it('go on with the state of the text around them', async () => {
    const options = { resources: '/XObject << /X1 6 0 R >>', objects: [form(shown('(bold words) Tj'), ownFont)] };
    expect(await textOf('BT 2 Tr ET /X1 Do', options)).toEqual(['*bold words*']);
  });

  it('that draw themselves are not plain', async () => {
    const objects = [form('/X1 Do', '/Resources << /XObject << /X1 6 0 R >> >>')];
    await expect(read('/X1 Do', { resources: '/XObject << /X1 6 0 R >>', objects })).rejects.toThrow(NotPlain);
  });
});

describe('Lines of a content stream', () => {
  it.each([
    ['0.5 w 72 700 m 300 700 l S', ['72 142 300 142']],
    ['72 700 200 1 re f', ['72 141 272 142']],
    ['1 w 72 600 200 100 re S', ['72 142 72 242', '72 142 272 142', '272 142 272 242', '72 242 272 242']],
    ['1 w 72 600 m 272 600 l 272 700 l s', ['272 142 272 242', '72 242 272 242']],
    ['1 w 72 600 m 272 600 l 272 700 l h 72 500 l S', ['72 242 72 342', '272 142 272 242', '72 242 272 242']],
    ['q 2 0 0 2 0 0 cm 0.2 w 36 350 m 150 350 l S Q', ['72 142 300 142']],
    ['72 700 m 300 700 l n 10 10 300 300 re W n', []],
    ['72 600 200 100 re f', []],
    ['1 w 72 600 m 100 700 200 700 272 600 c S', []],
  ])('drawn by %s', async (content, rules) => {
    const { rules: read } = await readByBoth(`${content} ${shown('(Text) Tj')}`);
    expect(read.flat().map((rule) => rule.map(Math.round).join(' '))).toEqual(rules);
  });
});

describe('A content stream is not plain', () => {
  it.each([
    ['without a font', 'BT (Text) Tj ET'],
    ['with a font that is not there', 'BT /F9 10 Tf (Text) Tj ET'],
    ['with text that is none', shown('/Text Tj')],
    ['with an operand that is no number', shown('(a) 0 Td')],
    ['with too few operands', '1 0 0 1 cm'],
    ['with no operands, after one that had some', shown('(a) Tj 5 5 Td Td')],
    ['with an inline picture that does not end', 'BI /W 4 /H 2 /BPC 8 /CS /G ID \x00\x01\x02'],
    ['with states in states', 'q '.repeat(300)],
    ['with too many operands', '1 '.repeat(300)],
    ['with too much text', shown(`(${'a'.repeat(1000)}) Tj `.repeat(101))],
    ['with a font in its graphics state', '/G1 gs'],
    ['with an odd string', shown('<4g> Tj')],
  ])('%s', async (_, content) => {
    const options = { resources: '/ExtGState << /G1 << /Font [5 0 R 12] >> >>' };
    await expect(read(content, options)).rejects.toThrow(NotPlain);
  });
});
