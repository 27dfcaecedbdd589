/**
 * What a reader learns of the fonts of a file while it reads page after page. A font that is certainly faulty on one page is so on all; the
 * pages read before that was known are to be read again.
 */
import type { Repair } from './font-faults.ts';

export type FaultyFonts<Font> = {
  readonly repairs: ReadonlyMap<Font, Repair>;
  /**
   * A page was read.
   * @param certain fonts that are certain by it
   * @param hold asked only if there are some; says whether they can be told from all others for as long as the file is open
   */
  learn(page: number, certain: ReadonlyMap<Font, Repair>, hold?: () => boolean): void;
  /** Pages by which fonts are certain, as they were read. */
  teachers(): readonly number[];
  /** Pages that were read when less was known, each once, to be read again in this order. */
  outdated(): readonly number[];
};

/** A file has a few; a hostile one thousands. */
const fontsMax = 500;

export function createFaultyFonts<Font>(): FaultyFonts<Font> {
  const repairs = new Map<Font, Repair>();
  const teachers: number[] = [];
  const knownAt = new Map<number, number>();
  return {
    repairs,
    learn(page, certain, hold = () => true) {
      if (certain.size > 0 && repairs.size + certain.size <= fontsMax && hold()) {
        for (const [font, repair] of certain) repairs.set(font, repair);
        teachers.push(page);
      }
      knownAt.set(page, repairs.size);
    },
    teachers: () => teachers,
    outdated: () => Array.from(knownAt).flatMap(([page, known]) => (known < repairs.size ? [page] : [])),
  };
}
