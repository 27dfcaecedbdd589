/** Windows' numbers of code pages and languages, by which old files say how their text is encoded. */
import { canonicalEncoding } from './encoding.ts';

/** The encoding of a Windows code page; Windows' own western one for those that are not known. */
export function encodingOfPage(page: number): string {
  const names: Readonly<Record<number, string>> = {
    1200: 'utf-16le',
    1201: 'utf-16be',
    1361: 'johab',
    10_000: 'macintosh',
    10_001: 'shift_jis',
    10_002: 'big5',
    10_003: 'euc-kr',
    10_006: 'x-mac-greek',
    10_007: 'x-mac-cyrillic',
    10_008: 'gb18030',
    10_029: 'x-mac-latin2',
    10_081: 'x-mac-turkish',
    20_127: 'windows-1252',
    20_866: 'koi8-r',
    20_932: 'euc-jp',
    20_936: 'gb18030',
    21_866: 'koi8-u',
    50_220: 'iso-2022-jp',
    50_221: 'iso-2022-jp',
    50_222: 'iso-2022-jp',
    51_932: 'euc-jp',
    51_936: 'gb18030',
    51_949: 'euc-kr',
    52_936: 'hz-gb-2312',
    54_936: 'gb18030',
    65_001: 'utf-8',
    32_768: 'macintosh',
    32_769: 'windows-1252',
  };
  const isIso = page >= 28_591 && page <= 28_606;
  return canonicalEncoding(names[page] ?? (isIso ? `iso-8859-${page - 28_590}` : `cp${page}`)) ?? 'windows-1252';
}

/** The encoding of a language by Windows' number; null for western ones. */
export function encodingOfLanguage(language: number): string | null {
  const primary = language & 0x3ff;
  const page = primary === chinese ? (traditionalChinese.has(language) ? 950 : 936) : pagesOfLanguages[primary];
  return page === undefined ? null : encodingOfPage(page);
}

const chinese = 0x04;
const traditionalChinese = new Set([0x0404, 0x0c04, 0x1404]);

/** By the primary number of a language; those that are not here are western. */
const pagesOfLanguages: Readonly<Record<number, number>> = {
  0x01: 1256,
  0x02: 1251,
  0x05: 1250,
  0x08: 1253,
  0x0d: 1255,
  0x0e: 1250,
  0x11: 932,
  0x12: 949,
  0x15: 1250,
  0x18: 1250,
  0x19: 1251,
  0x1a: 1250,
  0x1b: 1250,
  0x1c: 1250,
  0x1e: 874,
  0x1f: 1254,
  0x22: 1251,
  0x23: 1251,
  0x24: 1250,
  0x25: 1257,
  0x26: 1257,
  0x27: 1257,
  0x29: 1256,
  0x2a: 1258,
  0x2f: 1251,
};
