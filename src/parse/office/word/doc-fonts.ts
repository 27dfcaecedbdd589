/** The fonts of a DOC file (MS-DOC 2.9.286), and in which encoding its characters of one byte are. */
import { decodeAs, detectEncoding } from '../../text/encoding.ts';
import { encodingOfLanguage, encodingOfPage } from '../../text/code-pages.ts';
import { tableIndex, type DocHeader } from './doc-header.ts';

export type DocFont = { readonly name: string; /** Windows' number of its character set. */ readonly charset: number };

const fontsMax = 5000;

export function readFonts({ table, version }: DocHeader): DocFont[] {
  const list = table(tableIndex.fonts);
  const fonts: DocFont[] = [];
  const nameAt = version === 8 ? 40 : 6;
  for (let at = version === 8 ? 4 : 2; at < list.length && fonts.length < fontsMax;) {
    const font = list.subarray(at, at + 1 + list[at]!);
    const name = font.subarray(Math.min(nameAt, font.length));
    fonts.push({
      name: decodeAs(
        version === 8 ? name.subarray(0, name.length & ~1) : name,
        version === 8 ? 'utf-16le' : 'windows-1252',
      ).replace(/\0[^]*$/, ''),
      charset: font[4] ?? 0,
    });
    at += 1 + list[at]!;
  }
  return fonts;
}

/**
 * Since Word 97 characters of one byte are Windows' western ones. Before, they are those of the language that Word was made for; where
 * that is a western one but the fonts are of another script, the bytes themselves decide.
 */
export function encodingOfText({ version, language, main, plainText }: DocHeader, fonts: readonly DocFont[]): string {
  if (version === 8) return 'windows-1252';
  const own = encodingOfLanguage(language);
  if (own !== null) return own;
  const charsets = new Set(fonts.map(({ charset }) => pagesOfCharsets[charset]).filter((page) => page !== undefined));
  if (charsets.size === 0) return 'windows-1252';
  const text = main.subarray(plainText.at, plainText.at + plainText.bytes);
  const likely = detectEncoding(text.filter((byte) => byte >= 0x20 || byte === 0x0d));
  return [...charsets].map(encodingOfPage).includes(likely) ? likely : 'windows-1252';
}

/** Character sets of fonts that are not western. */
const pagesOfCharsets: Readonly<Record<number, number>> = {
  128: 932,
  129: 949,
  134: 936,
  136: 950,
  161: 1253,
  162: 1254,
  163: 1258,
  177: 1255,
  178: 1256,
  186: 1257,
  204: 1251,
  222: 874,
  238: 1250,
};
