/**
 * Files that hold every Unicode scalar value of a range that their format can carry, each alone and beside others, and what must be
 * found of them in the text that is kept. White space may change (line ends, runs of spaces), and controls may go; nothing else may.
 */
import { escapeXml, makeDocx, makeEpub, makeOdf, makePptx, makeXlsx } from './office-writer.ts';
import { makePdf } from './pdf-writer.ts';

export type CharacterFile = { readonly name: string; readonly bytes: Buffer; readonly blocks: readonly string[] };

/** Each from the first to before the last scalar value. */
export type ScalarRanges = readonly (readonly [from: number, to: number])[];

export const everyScalar: ScalarRanges = [[0, 0x110000]];
/** Without the many of a kind: ideographs, Hangul, private ones, those given to nobody. */
export const eachKind: ScalarRanges = [
  [0, 0x3400],
  [0xd700, 0xd800],
  [0xf900, 0x10200],
  [0x1f300, 0x1f700],
  [0xe0000, 0xe0200],
];

/** A word that stands in every passage, by which all of them are found. */
export const everywhere = 'zebrafish';

/** Scalars of one paragraph. */
const blockScalars = 256;
/** Each of these stands between two letters as well; the others, of two units, only beside one another. */
const firstPlane = 0x10000;

const isXmlText = (code: number): boolean =>
  code >= 0x20 ? code !== 0xfffe && code !== 0xffff : code === 9 || code === 10 || code === 13;
const isPlain = (code: number): boolean => code !== 0;
/** A word processor's text has no controls. */
const isUncontrolled = (code: number): boolean => code >= 0xa0 || (code >= 0x20 && code < 0x7f) || code === 9 || code === 10;

type Format = { readonly carries: (code: number) => boolean; readonly write: (blocks: readonly string[]) => Buffer };

const formats: Readonly<Record<string, Format>> = {
  txt: { carries: isPlain, write: (blocks) => Buffer.from(blocks.join('\n\n')) },
  md: {
    carries: isPlain,
    write: (blocks) => Buffer.from(`# Characters\n\n${blocks.map(escapeMarkdown).join('\n\n')}`),
  },
  html: { carries: isPlain, write: (blocks) => html(blocks) },
  csv: {
    carries: isPlain,
    write: (blocks) => Buffer.from(`key,text\n${blocks.map((text, at) => `${at},"${text.replaceAll('"', '""')}"\n`).join('')}`),
  },
  // What JSON escapes stays escaped: it is shown as code.
  json: {
    carries: (code) => code >= 0x20 && isUncontrolled(code) && code !== 0x22 && code !== 0x5c,
    write: (blocks) => Buffer.from(JSON.stringify(blocks.map((text) => ({ text })))),
  },
  xml: {
    carries: (code) => isXmlText(code) && code !== 0x3c,
    write: (blocks) =>
      Buffer.from(`<?xml version="1.0"?><texts>${blocks.map((text) => `<p>${escapeXml(text)}</p>`).join('')}</texts>`),
  },
  rtf: {
    carries: isUncontrolled,
    write: (blocks) => Buffer.from(`{\\rtf1\\ansi\\uc1 ${blocks.map(escapeRtf).join('\\par ')}\\par}`),
  },
  eml: { carries: isPlain, write: (blocks) => mail('text/plain', Buffer.from(blocks.join('\n\n'))) },
  'html.eml': { carries: isPlain, write: (blocks) => mail('text/html', html(blocks)) },
  docx: { carries: isXmlText, write: (blocks) => makeDocx({ paragraphs: blocks }) },
  pptx: { carries: isXmlText, write: (blocks) => makePptx({ slides: slidesOf(blocks) }) },
  xlsx: { carries: isXmlText, write: (blocks) => makeXlsx({ sheets: [{ name: 'S', rows: blocks.map((text) => [text]) }] }) },
  odt: {
    carries: isXmlText,
    write: (blocks) => makeOdf({ kind: 'text', body: blocks.map((text) => `<text:p>${escapeXml(text)}</text:p>`).join('') }),
  },
  epub: {
    carries: isXmlText,
    write: (blocks) => makeEpub({ title: 'B', chapters: [{ body: blocks.map((text) => `<p>${escapeXml(text)}</p>`).join('') }] }),
  },
};

/** A slide is a hit of its own, and a search shows 1,100 of them. */
function slidesOf(blocks: readonly string[]): { lines: string[] }[] {
  const linesMax = 8;
  return Array.from({ length: Math.ceil(blocks.length / linesMax) }, (_, at) => ({
    lines: blocks.slice(at * linesMax, (at + 1) * linesMax),
  }));
}

export const characterFormats = [...Object.keys(formats), 'pdf'];

/** A file of this format with all of the range that it carries. */
export function characterFile(format: string, ranges: ScalarRanges): CharacterFile {
  if (format === 'pdf') return characterPdf(ranges);
  const { carries, write } = formats[format]!;
  const blocks = ranges.flatMap((range) => blocksOf(range, carries));
  return { name: `characters.${format}`, bytes: write(blocks), blocks };
}

/** What of a text must be kept, whatever the format: all but white space, controls, places where a line may break (U+00AD, U+200B) and what Markdown needs. */
function essence(text: string): string {
  return text
    .replaceAll('<br>', '')
    .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
    .replaceAll(/[\s\p{Cc}\u00ad\u200b\\]+/gu, '');
}

/** The first blocks of which something is not in the text, in order, each with where it ends to be so. */
export function lostBlocks(text: string, blocks: readonly string[]): string[] {
  const kept = essence(text);
  const lost: string[] = [];
  let from = 0;
  for (const block of blocks.map(essence)) {
    const at = kept.indexOf(block, from);
    if (at === -1) lost.push(difference(kept, block));
    else from = at + block.length;
    if (lost.length === 5) break;
  }
  return lost;
}

/** Without what has no width: at the edges of a chunk it belongs to none. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cf}\u2065]+/gu, '');
}

function difference(kept: string, block: string): string {
  const start = kept.indexOf(block.slice(0, block.indexOf('alone')));
  const got = start === -1 ? '' : kept.slice(start);
  let at = 0;
  while (got[at] === block[at]) at += 1;
  const show = (part: string): string =>
    JSON.stringify(part.slice(Math.max(0, at - 12), at + 24)) + codesOf(part.slice(at, at + 4));
  return `got ${show(got)}, wanted ${show(block)}`;
}

function codesOf(text: string): string {
  return ` (${Array.from(text, (each) => `U+${each.codePointAt(0)!.toString(16)}`).join(' ')})`;
}

function blocksOf([from, to]: ScalarRanges[number], carries: (code: number) => boolean): string[] {
  const blocks: string[] = [];
  for (let start = from; start < to; start += blockScalars) {
    const scalars: string[] = [];
    for (let code = start; code < Math.min(to, start + blockScalars); code += 1)
      if ((code < 0xd800 || code > 0xdfff) && carries(code)) scalars.push(String.fromCodePoint(code));
    if (scalars.length > 0) blocks.push(blockOf(start, scalars));
  }
  return blocks;
}

function blockOf(start: number, scalars: readonly string[]): string {
  const beside = start < firstPlane ? `${scalars.map((each) => `x${each}y`).join(' ')} ${everywhere}` : '';
  return `${everywhere} k${start.toString(16)}k alone ${scalars.join(' ')} ${everywhere} beside ${beside} x${scalars.join('')}y end`;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~]/g, '\\$&');
}

function escapeRtf(text: string): string {
  return text
    .split('')
    .map((unit) => {
      const code = unit.charCodeAt(0);
      if (code === 9) return '\\tab ';
      if (code === 10) return '\\line ';
      return code < 0x80 ? unit.replace(/[\\{}]/, '\\$&') : `\\u${code > 0x7fff ? code - 0x10000 : code}?`;
    })
    .join('');
}

function html(blocks: readonly string[]): Buffer {
  return Buffer.from(
    `<!doctype html><html><head><meta charset="utf-8"><title>T</title></head><body>${blocks.map((text) => `<p>${escapeXml(text)}</p>`).join('\n')}</body></html>`,
  );
}

function mail(type: string, body: Buffer): Buffer {
  const head = `From: a@b.c\r\nTo: d@e.f\r\nSubject: characters\r\nMIME-Version: 1.0\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body.toString('base64').replaceAll(/.{76}/g, '$&\r\n'))]);
}

/** Lines of letters whose font says what they are; no ligatures, which are taken apart, and nothing that runs from right to left. */
function characterPdf(ranges: ScalarRanges): CharacterFile {
  const lines = ranges.flatMap(pdfLines);
  const pages = Array.from({ length: Math.ceil(lines.length / 40) }, (_, at) => lines.slice(at * 40, at * 40 + 40));
  return { name: 'characters.pdf', bytes: makePdf({ pages }), blocks: lines };
}

function pdfLines([from, to]: ScalarRanges[number]): string[] {
  const lines: string[] = [];
  for (let start = from; start < to; start += 4) {
    const scalars = Array.from({ length: 4 }, (_, at) => start + at)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter(
        (each) =>
          /[\p{L}\p{N}\p{P}\p{S}\u2028\u2029\u0085]/u.test(each) &&
          !/[\p{Script=Hebrew}\p{Script=Arabic}\uaa00-\uaaff\ufb00-\ufb06]/u.test(each),
      );
    if (scalars.length > 0)
      lines.push(`${everywhere} k${start.toString(16)}k alone ${scalars.map((each) => `x${each}y`).join(' ')}`);
  }
  return lines;
}
