/** SubRip and WebVTT subtitles as running text: cues that follow each other closely make a paragraph, led by the time it begins at. */
import { normalizeLines } from './encoding.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

export function createSubtitlesParser(): Parser {
  return { parse };
}

/** Speech that pauses longer, or has gone on for so long at the end of a sentence, begins a new paragraph. */
const pauseSeconds = 3;
const paragraphCharacters = 600;

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(readText(input));
  const builder = createMarkdownBuilder(input.limits);
  let lines: string[] = [];
  let characters = 0;
  let start = 0;
  let end = -Infinity;
  const flush = (): void => {
    if (lines.length > 0) builder.paragraph(`[${clockTime(start)}] ${lines.join('\n')}`);
    lines = [];
    characters = 0;
  };
  for (const cue of readCues(text)) {
    const isLong = characters > paragraphCharacters && /[.!?。！？…]["'”’」』]?$/.test(lines.at(-1) ?? '');
    if (cue.start - end > pauseSeconds || isLong) flush();
    if (lines.length === 0) start = cue.start;
    // Captions that scroll repeat the line before.
    if (lines.at(-1) !== cue.text) {
      lines.push(cue.text);
      characters += cue.text.length;
    }
    end = cue.end;
  }
  flush();
  return {
    mediaType: text.startsWith('WEBVTT') ? 'text/vtt' : 'application/x-subrip',
    title: null,
    author: null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

/** Seconds from the beginning. */
type Cue = { readonly start: number; readonly end: number; readonly text: string };

const timing = /^\s*((?:\d{1,4}:)?\d{1,2}:\d{1,2}[,.]\d{1,3})[ \t]*-->[ \t]*((?:\d{1,4}:)?\d{1,2}:\d{1,2}[,.]\d{1,3})/;

/**
 * The text of each cue, up to the number or name and the times of the next. What stands after a blank line belongs to the cue before it, but
 * for WebVTT's notes and styles.
 */
function* readCues(text: string): Generator<Cue> {
  let times: RegExpExecArray | null = null;
  let words: string[] = [];
  /** A line that is only a number: the next cue's, unless more text follows. */
  let number: string | null = null;
  /** Lines since a blank one, of which the last may be the next cue's name; null before a blank line. */
  let held: string[] | null = null;

  function keep(lines: readonly string[]): void {
    if (!/^(?:NOTE|STYLE|REGION)\b/.test(lines[0] ?? '')) words.push(...lines.map(plainCue));
  }

  for (const line of linesOf(text)) {
    const next = timing.exec(line.slice(0, 200));
    if (next !== null) {
      keep(held?.slice(0, -1) ?? []);
      yield* cueOf(times, words);
      [times, words, number, held] = [next, [], null, null];
    } else if (line.trim() === '') {
      if (number !== null) words.push(number);
      keep(held ?? []);
      [number, held] = [null, []];
    } else if (held !== null) held.push(line);
    else if (times !== null) {
      if (number !== null) words.push(number);
      number = /^\d{1,6}$/.test(line) ? line : null;
      if (number === null) words.push(plainCue(line));
    }
  }
  if (number !== null) words.push(number);
  keep(held?.length === 1 && /^\d+$/.test(held[0]!) ? [] : (held ?? []));
  yield* cueOf(times, words);
}

function* cueOf(times: RegExpExecArray | null, words: readonly string[]): Generator<Cue> {
  const text = words.filter((line) => line !== '').join('\n');
  if (times !== null && text !== '') yield { start: seconds(times[1]!), end: seconds(times[2]!), text };
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    yield text.slice(at, end);
    at = end + 1;
  }
}

/** Without styles and positions; a voice becomes `Name: …`. */
function plainCue(line: string): string {
  return line
    .replace(/<v(?:\.[^\s<>]{1,100})?[ \t]{1,20}([^<>]{1,200})>/g, '$1: ')
    .replace(/<\/?[\w.:-]{1,40}(?:[ \t][^<>]{0,200})?>|\{\\[^{}]{0,100}\}/g, '')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .trim();
}

function seconds(time: string): number {
  return time
    .replace(',', '.')
    .split(':')
    .reduce((total, part) => total * 60 + Number(part), 0);
}

function clockTime(total: number): string {
  const whole = Math.floor(total);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
