import { describe, expect, it } from 'vitest';
import { type GreyPicture, readPgm, writePgm } from '../../../src/parse/images/grey-picture.ts';
import { type Quarters, quarterTurned } from '../../../src/parse/images/picture-turns.ts';
import { type PictureReader, type PictureReading, readPicture } from '../../../src/parse/images/read-picture.ts';
import { textOf } from '../../../src/parse/images/seen-page.ts';

const [width, height] = [200, 300];
/** Where the words of a page stand on it. */
const place = { left: 20, top: 30, right: 120, bottom: 60 };

/** A page with ink where its words stand, as it should lie. */
function page(): GreyPicture {
  const points = new Uint8Array(width * height).fill(255);
  for (let y = place.top; y < place.bottom; y++) points.fill(0, y * width + place.left, y * width + place.right);
  return { width, height, points };
}

type Sure = Readonly<Record<string, number>>;

/** Sees the words of `page` at their place where they lie as they should, as sure as told, and else something that it is not sure of. */
function reader(sure: Sure, text: string, more: Partial<PictureReader> = {}): PictureReader & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    attempts: Object.keys(sure),
    asked,
    recognise(image, languages) {
      const picture = readPgm(image)!;
      asked.push(languages);
      const isUpright = picture.width === width && picture.points[(place.top + 5) * width + place.left + 5]! < 128;
      const { left, top, right, bottom } = place;
      const size = ['1', 1, 0, 0, 0, 0, 0, 0, picture.width, picture.height, -1, ''];
      const word = isUpright
        ? ['5', 1, 1, 1, 1, 1, left, top, right - left, bottom - top, sure[languages], text]
        : ['5', 1, 1, 1, 1, 1, 1, 1, 50, 10, 25, 'nonsense'];
      return [size, word].map((row) => row.join('\t')).join('\n');
    },
    decode: () => null,
    hasTime: () => true,
    ...more,
  };
}

const english: Sure = { eng: 95 };
const chinese: Sure = { eng: 20, 'chi_sim+eng': 88, 'chi_tra+eng': 80 };

function lying(turn: Quarters): Buffer {
  return writePgm(quarterTurned(page(), turn));
}

/** Where ink is, on a picture that was read: its first and its last point. */
function inkOf({ width: across, points }: GreyPicture): { left: number; top: number; right: number; bottom: number } {
  const ink = [...points.keys()].filter((at) => points[at]! < 128);
  const [columns, rows] = [ink.map((at) => at % across), ink.map((at) => Math.floor(at / across))];
  return { left: Math.min(...columns), top: Math.min(...rows), right: Math.max(...columns) + 1, bottom: Math.max(...rows) + 1 };
}

function boxOf({ words: [word] }: PictureReading): object {
  return { left: word!.left, top: word!.top, right: word!.right, bottom: word!.top + word!.height };
}

describe('a picture of text', () => {
  it.each([
    ['English', english, ['eng']],
    ['Chinese', chinese, ['eng', 'chi_sim+eng', 'chi_tra+eng']],
  ])('that lies as it should is read once: %s', async (_language, sure, once) => {
    const tesseract = reader(sure, '检索 archive');

    expect(await readPicture(lying(0), tesseract)).toMatchObject({ isDoubtful: false });
    expect(tesseract.asked).toEqual(once);
  });

  const turned = ([1, 2, 3] as const).flatMap((turn) => [
    [turn, 'The archive opens at nine', english] as const,
    [turn, '二楼档案室管理规定', chinese] as const,
    [turn, '部署 Deployment notes', chinese] as const,
  ]);

  it.each(turned)(
    'that lies %i quarter turns from it says the same, in its place on the picture as it is: %s',
    async (turn, text, sure) => {
      const image = lying(turn);
      const read = await readPicture(image, reader(sure, text));

      expect(textOf(read.words)).toBe(text);
      expect(read.isDoubtful).toBe(false);
      const shown = readPgm(image)!;
      expect(read.size).toEqual({ width: shown.width, height: shown.height });
      expect(boxOf(read)).toEqual(inkOf(shown));
    },
  );

  it('whose file only a decoder knows is turned by that, and only where the program makes nothing of it', async () => {
    const file = Buffer.from('a picture of some kind');
    const decoded: number[] = [];
    const decode = (): GreyPicture => (decoded.push(1), quarterTurned(page(), 2));
    const table = `1\t1\t0\t0\t0\t0\t0\t0\t${width}\t${height}\t-1\t`;
    const tesseract = reader(english, 'The archive', { decode, decodesLate: true });
    const program = (said: string): PictureReader => ({
      ...tesseract,
      recognise: (image, languages, mode) => (image === file ? said : tesseract.recognise(image, languages, mode)),
    });

    expect(textOf((await readPicture(file, program(`${table}\n5\t1\t1\t1\t1\t1\t1\t1\t9\t9\t90\tupright`))).words)).toBe('upright');
    expect(decoded).toEqual([]);
    expect(textOf((await readPicture(file, program(table))).words)).toBe('The archive');
    expect(decoded).toEqual([1]);
  });

  it('that nothing makes believable is doubtful, and an empty one is not', async () => {
    const doubted = await readPicture(lying(0), reader({ eng: 30 }, 'hardly'));
    const unseen: Partial<PictureReader> = { recognise: () => '' };
    const blank = writePgm({ width, height, points: new Uint8Array(width * height).fill(250) });
    const asked = reader(english, '', unseen);

    expect([textOf(doubted.words), doubted.isDoubtful]).toEqual(['hardly', true]);
    expect((await readPicture(lying(0), asked)).isDoubtful).toBe(true);
    expect((await readPicture(blank, asked)).isDoubtful).toBe(false);
  });

  it('is not read again where its time is over, and then it is doubtful', async () => {
    const tesseract = reader(english, 'The archive', { hasTime: () => false });
    const read = await readPicture(lying(2), tesseract);

    expect([textOf(read.words), read.isDoubtful]).toEqual(['nonsense', true]);
    expect(tesseract.asked).toEqual(['eng']);
  });
});
