/**
 * What stands beside the text of an office file: comments, headers and footers, notes, alternative texts, values of charts. The expected
 * Markdown of other projects leaves most of it out and this one keeps it, so that a comparison has to add it to what is expected. It is
 * taken from the XML by patterns, with nothing of the parsers that are measured but the ZIP.
 */
import { extname } from 'node:path';
import { openZip } from '../../src/parse/containers/zip.ts';
import { usualLimits } from '../../src/parse/limits.ts';
import { plainText, tokensOf } from './markdown-score.ts';

type Aside = {
  readonly part: RegExp;
  /** One of them, with all that belongs to it. */
  readonly piece: RegExp;
  /** Its text: the first group of each match. */
  readonly text: RegExp;
  /** What the Markdown writes before it. */
  readonly label: string;
};

const runs = /<(?:w:t|a:t|t|text:p|c:v)(?:\s[^>]*)?>([^<]*)</g;
const pictures = /<(?:wp:docPr|pic:cNvPr|p:cNvPr|xdr:cNvPr)\s[^>]*?\bdescr="([^"]+)"/g;
/** Names of files and of nothing, which say nothing of a picture. */
const emptyWords = /^(?:\S*\.(?:png|jpe?g|gif|emf|svg)|picture|image)$/i;

const asides: Readonly<Record<string, readonly Aside[]>> = {
  doc: [
    { part: /^word\/(?:header|footer)\d*\.xml$/, piece: /<w:p[\s>].*?<\/w:p>/gs, text: runs, label: '' },
    {
      part: /^word\/comments\.xml$/,
      piece: /<w:comment\s.*?<\/w:comment>/gs,
      text: /w:author="([^"]*)"|<w:t(?:\s[^>]*)?>([^<]*)</g,
      label: 'Comment',
    },
    {
      part: /^word\/(?:document|header\d*|footer\d*)\.xml$/,
      piece: /<w:drawing>.*?<\/w:drawing>/gs,
      text: pictures,
      label: 'Picture',
    },
  ],
  ppt: [
    { part: /^ppt\/notesSlides\/\w+\.xml$/, piece: /<p:sp>(?:(?!<\/p:sp>).)*type="body".*?<\/p:sp>/gs, text: runs, label: 'Notes' },
    { part: /^ppt\/comments\/\w+\.xml$/, piece: /<(?:p:text|a:t)>[^<]*</g, text: /<(?:p:text|a:t)>([^<]*)</g, label: 'Comment' },
    { part: /^ppt\/charts\/chart\w*\.xml$/, piece: /<c:v>[^<]*</g, text: runs, label: '' },
    { part: /^ppt\/slides\/\w+\.xml$/, piece: pictures, text: pictures, label: 'Picture' },
  ],
  xls: [
    {
      part: /^xl\/comments\/?\w*\.xml$/,
      piece: /<comment\s(?:(?!\[Threaded comment\]).)*?<\/comment>/gs,
      text: runs,
      label: 'Comment on',
    },
    { part: /^xl\/threadedComments\/\w+\.xml$/, piece: /<text>[^<]*</g, text: /<text>([^<]*)</g, label: 'Comment on' },
    { part: /^xl\/drawings\/\w+\.xml$/, piece: pictures, text: pictures, label: 'Picture' },
  ],
  od: [{ part: /^content\.xml$/, piece: /<svg:(?:desc|title)>([^<]+)</g, text: /<svg:(?:desc|title)>([^<]+)</g, label: 'Picture' }],
};

/** A line for each that `expected` does not have; nothing of files that are no office files or cannot be opened. */
export async function missingAsides(path: string, expected: string): Promise<string> {
  const ending = extname(path).slice(1).toLowerCase();
  const kinds = asides[ending.slice(0, 3)] ?? asides[ending.slice(0, 2)];
  if (kinds === undefined) return '';
  const known = keyOf(expected);
  const lines: string[] = [];
  for (const [name, xml] of await xmlParts(path)) {
    for (const { part, piece, text, label } of kinds) {
      if (!part.test(name)) continue;
      for (const [found] of xml.matchAll(piece)) {
        const words = new Set([...found.matchAll(text)].map((groups) => groups[1] ?? groups[2] ?? ''));
        const said = [...words].filter((each) => !emptyWords.test(each)).join(label === '' ? '' : ' ');
        if (label === 'Comment on' || label === 'Comment') lines.push(known.includes(keyOf(said)) ? label : `${label} ${said}`);
        else if (said !== '' && (label === 'Picture' || !known.includes(keyOf(said)))) lines.push(`${label} ${said}`);
      }
    }
  }
  return lines.filter((line, at) => /^(?:Picture|Comment)/.test(line) || lines.indexOf(line) === at).join('\n\n');
}

/** Words without what stands between them. */
function keyOf(text: string): string {
  return ` ${tokensOf(plainText(text)).join(' ')} `;
}

async function xmlParts(path: string): Promise<[string, string][]> {
  const parts: [string, string][] = [];
  try {
    const zip = openZip({ path }, usualLimits);
    for (const name of zip.names) if (name.endsWith('.xml')) parts.push([name, (await zip.read(name))!.toString('utf8')]);
    zip.close();
  } catch {
    // What is no archive has no asides; the parsers' own tables say that it was refused.
  }
  return parts;
}
