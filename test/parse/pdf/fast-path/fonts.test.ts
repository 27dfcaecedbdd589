import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPlainFile } from '../../../../src/parse/pdf/fast-path/file.ts';
import { createFonts } from '../../../../src/parse/pdf/fast-path/fonts.ts';
import { NotPlain, Ref } from '../../../../src/parse/pdf/fast-path/objects.ts';
import { linesOf, type PageReading, pdfOfContent, pdfStream, readByPdfium, readPlainly } from '../../../support/plain-pdf.ts';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plain-fonts-'));
  path = join(folder, 'file.pdf');
});
afterAll(() => rm(folder, { recursive: true }));

/** Text that is set in the font that object 6 is. */
async function read(text: string, font: string, ...objects: string[]): Promise<PageReading> {
  const content = `BT /F2 10 Tf 72 700 Td ${text} ET`;
  await writeFile(path, pdfOfContent(content, { fonts: '/F2 6 0 R', objects: [`<< /Type /Font ${font} >>`, ...objects] }));
  return (await readPlainly(path)).pages[0]!;
}

async function textOf(text: string, font: string, ...objects: string[]): Promise<string[]> {
  return linesOf(await read(text, font, ...objects));
}

/** The same, and PDFium reads it too. */
async function textByBoth(text: string, font: string, ...objects: string[]): Promise<string[]> {
  const plain = await read(text, font, ...objects);
  expect(plain).toEqual((await readByPdfium(path)).pages[0]);
  return linesOf(plain);
}

const map = (text: string) => pdfStream(`begincmap\n${text}\nendcmap`);
const helvetica = '/Subtype /Type1 /BaseFont /Helvetica';
const widths = `/FirstChar 0 /LastChar 255 /Widths [${'500 '.repeat(256)}]`;
const embedded = `/Subtype /Type1 /BaseFont /ABCDEF+Own ${widths} /FontDescriptor 7 0 R`;
const descriptor = (more: string, flags = 4) => `<< /Type /FontDescriptor /FontName /ABCDEF+Own /Flags ${flags} ${more} >>`;
const wide = '/Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R';
const descendant = (more: string, ordering = 'Identity', registry = 'Adobe') => `<< /Type /Font /Subtype /CIDFontType0
/BaseFont /STSong-Light ${more} /CIDSystemInfo << /Registry (${registry}) /Ordering (${ordering}) /Supplement 0 >>
/FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] >> >>`;

describe('A font of one-byte codes', () => {
  it.each([
    ['/WinAnsiEncoding', '(\\223A\\224 \\200 \\351)', '“A” € é'],
    ['/MacRomanEncoding', '(\\322A\\323 \\216)', '“A” é'],
    ['/StandardEncoding', "(\\252A\\272 '\\341)", '“A” ’Æ'],
    ['<< /Differences [65 /alpha /beta 200 /fi] >>', '(ABC\\310)', 'αβCfi'],
    ['<< /BaseEncoding /MacRomanEncoding /Differences [65 /Euro] >>', '(A\\216)', '€é'],
    ['null', '(Plain)', 'Plain'],
  ])('says its characters by /Encoding %s', async (encoding, text, expected) => {
    expect(await textByBoth(`${text} Tj`, `${helvetica} ${widths} /Encoding ${encoding}`)).toEqual([expected]);
  });

  it('has the letters of a ligature, as PDFium does', async () => {
    const ligatures = map('2 beginbfchar\n<41> <FB01>\n<42> <FB04>\nendbfchar');
    await read('(AB) Tj', `${helvetica} ${widths} /ToUnicode 7 0 R`, ligatures);
    expect(linesOf((await readPlainly(path)).pages[0]!)).toEqual(['fiffl']);
    expect(linesOf((await readByPdfium(path)).pages[0]!)).toEqual(['fiffl']);
  });

  it('says its characters by a ToUnicode map, and by its encoding what the map leaves out', async () => {
    const font = `${helvetica} /Encoding /WinAnsiEncoding /ToUnicode 7 0 R ${widths}`;
    const texts = map('1 beginbfchar <41> <4e2d> endbfchar 1 beginbfchar <42> <0000> endbfchar');
    expect(await textByBoth('(AC) Tj', font, texts)).toEqual(['中C']);
    expect(await textOf('(AB) Tj', font, texts)).toEqual(['中B']);
  });

  it('is as wide as it says, or as the standard font is', async () => {
    const text = '[(one) -200 (two)] TJ 40 0 Td (three) Tj';
    expect(await textByBoth(text, `${helvetica} /Encoding /WinAnsiEncoding`)).toEqual(['one two three']);
    expect(await textOf('(a) Tj 9 0 Td (b) Tj', `${helvetica} /FirstChar 97 /Widths [900] /Encoding /WinAnsiEncoding`)).toEqual([
      'ab',
    ]);
    expect(await textOf('(a) Tj 9 0 Td (b) Tj', `${helvetica} /FirstChar 97 /Widths [300] /Encoding /WinAnsiEncoding`)).toEqual([
      'a b',
    ]);
  });

  it('looks as its name or its descriptor says', async () => {
    expect(await textByBoth('(x) Tj', `/Subtype /Type1 /BaseFont /Times-Bold /Encoding /WinAnsiEncoding`)).toEqual(['*x*']);
    expect(await textOf('(x) Tj', `${embedded} /Encoding /WinAnsiEncoding`, descriptor('', 0x40004))).toEqual(['*x*']);
  });

  it('of Type 1 says its characters in its program', async () => {
    const program = pdfStream(
      '%!PS\n/Encoding 256 array\n0 1 255 {1 index exch /.notdef put} for\ndup 65 /alpha put\ndup 7 /ffi put\nreadonly def\ncurrentfile eexec',
    );
    expect(await textOf('(A\\007A) Tj', embedded, descriptor('/FontFile 8 0 R'), program)).toEqual(['αffiα']);
    const standard = pdfStream('%!PS\n/Encoding StandardEncoding def\ncurrentfile eexec');
    expect(await textOf("(A'\\256) Tj", embedded, descriptor('/FontFile 8 0 R'), standard)).toEqual(['A’fi']);
  });

  it('of Type 3 is as large as its matrix makes it', async () => {
    const font = (scale: number) => `/Subtype /Type3 /FontMatrix [${scale} 0 0 ${scale} 0 0] /FontBBox [0 0 10 10] /CharProcs << >>
/Encoding << /Differences [97 /a /b] >> /FirstChar 97 /LastChar 98 /Widths [9 9]`;
    expect(await textOf('(a) Tj 9 0 Td (b) Tj', font(0.1))).toEqual(['ab']);
    expect(await textOf('(a) Tj 9 0 Td (b) Tj', font(0.03))).toEqual(['a b']);
  });

  it.each([
    ['of another kind', '/Subtype /CIDFontType2 /BaseFont /Helvetica'],
    ['of another encoding', `${helvetica} /Encoding /MacExpertEncoding`],
    ['that is not standard and has no widths', '/Subtype /Type1 /BaseFont /Garamond /Encoding /WinAnsiEncoding'],
    ['with a width that is no number', `${helvetica} /Encoding /WinAnsiEncoding /Widths [/Wide]`],
    ['with odd differences', `${helvetica} ${widths} /Encoding << /Differences [(A)] >>`],
    ['of Type 3 without a matrix', `/Subtype /Type3 /Encoding << /Differences [97 /a] >> ${widths}`],
    [
      'of Type 3 whose glyphs are numbered',
      `/Subtype /Type3 /FontMatrix [1 0 0 1 0 0] ${widths} /Encoding << /Differences [97 /g1] >>`,
    ],
    ['of symbols that it does not name', `/Subtype /Type1 /BaseFont /Symbol ${widths}`],
  ])('is not plain %s', async (_, font) => {
    await expect(read('(a) Tj', font)).rejects.toThrow(NotPlain);
  });

  it('is not plain when its program says nothing of its characters, or is damaged', async () => {
    const silent = pdfStream('%!PS\ncurrentfile eexec');
    await expect(read('(a) Tj', embedded, descriptor('/FontFile 8 0 R'), silent)).rejects.toThrow(NotPlain);
    await expect(read('(a) Tj', embedded, descriptor('/FontFile2 8 0 R'), silent)).rejects.toThrow(NotPlain);
    const compact = pdfStream('damaged', '/Subtype /Type1C');
    await expect(read('(a) Tj', embedded, descriptor('/FontFile3 8 0 R'), compact)).rejects.toThrow(NotPlain);
  });
});

describe('The fonts of a file', () => {
  it('are each read once, however often they are asked for', () => {
    const file = openPlainFile(pdfOfContent(''));
    const fonts = createFonts(file, () => []);
    expect(fonts.fontOf(new Ref(5))).toBe(fonts.fontOf(new Ref(5)));
    expect(() => fonts.fontOf(new Ref(4))).toThrow(NotPlain);
  });
});

describe('A font of two-byte codes', () => {
  const texts = map('2 beginbfrange <0101> <0103> <4e00> <0020> <007e> <0020> endbfrange');

  it('says its characters by a ToUnicode map', async () => {
    expect(await textByBoth('<010101020103> Tj', wide, descendant('/DW 1000'), texts)).toEqual(['一丁丂']);
    expect(await textByBoth('<0061002000620063> Tj', wide, descendant('/DW 500'), texts)).toEqual(['a bc']);
  });

  it('says them by its codes where the map is said to leave codes as they are', async () => {
    const named = wide.replace('/ToUnicode 8 0 R', '/ToUnicode /Identity-H');

    expect(await textOf('<00410062002053d17968> Tj', named, descendant('/DW 500'))).toEqual(['Ab 发票']);
  });

  it.each(['/W [97 [300 300] 99 [300]]', '/W [97 98 300]', '/DW 300', '/W [98 98 900 97 [300]]'])(
    'is as wide as it says: %s',
    async (width) => {
      expect(await textOf('<0061> Tj 9 0 Td <0062> Tj', wide, descendant(width), texts)).toEqual(['a b']);
      expect(await textOf('<0061> Tj 3 0 Td <0062> Tj', wide, descendant(width), texts)).toEqual(['ab']);
    },
  );

  const mapless = wide.replace('/ToUnicode 8 0 R', '');

  it.each([
    ['GB1', '<0022104211CF> Tj', 'A一中'],
    ['CNS1', '<0022025302950A37> Tj', 'A一中國'],
    ['Japan1', '<0022020E039E0465> Tj', 'Aあア亜'],
    ['Korea1', '<0022043E0CE0> Tj', 'A가한'],
  ])('says its characters by their numbers in the collection Adobe-%s', async (ordering, text, expected) => {
    expect(await textByBoth(text, mapless, descendant('/DW 1000', ordering))).toEqual([expected]);
  });

  it('has a space, and the letters of a ligature, where its collection has them', async () => {
    const said = await textByBoth('<00420001004300700001> Tj <0071> Tj', mapless, descendant('/DW 500', 'Japan1'));
    expect(said).toEqual(['a bfi fl']);
  });

  it('says by its collection what its map leaves out', async () => {
    expect(await textByBoth('<01011042> Tj', wide, descendant('/DW 1000', 'GB1'), texts)).toEqual(['一一']);
  });

  it('stands as far apart as half a space of its collection', async () => {
    const width = (space: number) => descendant(`/DW 500 /W [1 [${space}]]`, 'Japan1');
    const apart = '[<0042> -140 <0043>] TJ';
    expect(await textOf(apart, mapless, width(250))).toEqual(['a b']);
    expect(await textOf(apart, mapless, width(320))).toEqual(['ab']);
  });

  it.each([
    ['is written from top to bottom', wide.replace('Identity-H', 'Identity-V'), '/DW 1000'],
    ['has a predefined CMap', wide.replace('Identity-H', 'UniGB-UCS2-H'), '/DW 1000'],
    ['has a CMap of its own', wide.replace('/Identity-H', '8 0 R'), '/DW 1000'],
    ['has no ToUnicode map', mapless, '/DW 1000'],
    ['has nothing that it stands for', wide.replace('[7 0 R]', '[]'), '/DW 1000'],
    ['has odd widths', wide, '/W [1 /Two 3]'],
    ['has widths that are no numbers', wide, '/W [1 [/One]]'],
    ['has a width for too many codes', wide, '/W [0 1000000 500]'],
  ])('is not plain when it %s', async (_, font, width) => {
    await expect(read('<0101> Tj', font, descendant(width), texts)).rejects.toThrow(NotPlain);
  });

  it.each([
    ['a collection that is not known', '<0022> Tj', descendant('', 'KR')],
    ['a collection that is not of Adobe', '<0022> Tj', descendant('', 'GB1', 'Founder')],
    ['a number that its collection does not have', '<7FFF> Tj', descendant('', 'GB1')],
    ['a number that stands for no character', '<0000> Tj', descendant('', 'GB1')],
  ])('is not plain when it has no map and %s', async (_, text, of) => {
    await expect(read(text, mapless, of)).rejects.toThrow(NotPlain);
  });
});
