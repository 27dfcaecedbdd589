/**
 * Text in pictures, by Tesseract where the administrator has installed it: found once at start, run as a child process in
 * bounded processor time, one picture at a time and on one core.
 */
import { spawn } from 'node:child_process';
import { DocumentError } from '../../errors.ts';
import type { GreyPicture } from './grey-picture.ts';
import type { ParseLimits } from '../parser.ts';
import { readPicture, seenIn } from './read-picture.ts';
import { attemptsOf, type PageMode, pageModes, type SeenText } from './seen-page.ts';

export interface Ocr {
  /** What it reads, as Tesseract names them (`eng`, `chi_sim`). */
  readonly languages: readonly string[];
  /** Pages that have text are read as well. Absent: only what has none. */
  readonly readsAll?: boolean;
  /**
   * The text in a picture file (PNG, JPEG, TIFF, WebP, GIF, BMP), the first page of a TIFF, however it lies; '' when there is none. `onSeen` is
   * told where its words stand on the picture as browsers show it, by readers that know; `onDoubt` of a picture that has ink and nothing that
   * can be believed.
   * @throws DocumentError `timeout`, `corrupt`, `stalled`.
   */
  read(image: Uint8Array, onSeen?: (seen: SeenText) => void, onDoubt?: () => void): Promise<string>;
}

/** What is read by OCR: nothing, pages and large pictures without text, or every page. */
export const ocrPages = ['off', 'textless', 'all'] as const;
export type OcrPages = (typeof ocrPages)[number];

export type OcrOptions = {
  /** Absent: `textless`. */
  readonly pages?: OcrPages;
  /** Joined by `+`; empty: English and Chinese, as far as they are installed, else whatever is. */
  readonly languages: string;
  /** Processor time for one reading of a picture; whole seconds count. Chinese is read three times (`seen-page.ts`), what lies otherwise again (`read-picture.ts`). */
  readonly timeoutMs: number;
  /** The same by the clock; ten times as much unless told, since a busy machine is not the picture's fault. */
  readonly clockMs?: number;
  /** Of Tesseract; looked up on the PATH. */
  readonly command?: string;
};

/** Of threads that read documents: a picture's time ends before the page's, so that it is the picture that is told of. */
export function ocrOptions(
  { ocrLanguages, ocrPages: pages = 'textless' }: { readonly ocrLanguages: string; readonly ocrPages?: OcrPages },
  { pageMs }: Pick<ParseLimits, 'pageMs'>,
): OcrOptions {
  return { languages: ocrLanguages, pages, timeoutMs: Math.ceil(pageMs * 0.9) };
}

/** Tesseract, looked up on the PATH. */
export const ocrCommand = 'tesseract';

/** Why nobody reads pictures: what a scan ends in, and what is said of pages before their numbers. */
export type NoOcr = { readonly scanSentence: string; readonly pagesSentence: string };

export const noOcr = {
  notInstalled: {
    scanSentence: 'No text found: this looks like a scan and OCR is not installed',
    pagesSentence: 'Pages that look scanned and need OCR, which is not installed',
  },
  pagesOff: {
    scanSentence: 'No text found: this looks like a scan and OCR is off (OCR_PAGES=off); remove this setting, then upload it again',
    pagesSentence: 'Pages that look scanned and need OCR, which is off (remove OCR_PAGES=off to have them read)',
  },
  languagesOff: {
    scanSentence:
      'No text found: this looks like a scan and OCR is off (OCR_LANGUAGES=off); remove this setting, then upload it again',
    pagesSentence: 'Pages that look scanned and need OCR, which is off (remove OCR_LANGUAGES=off to have them read)',
  },
  noLanguage: {
    scanSentence:
      'No text found: this looks like a scan and OCR has none of the languages in OCR_LANGUAGES; correct the setting or install them, then upload it again',
    pagesSentence:
      'Pages that look scanned and need OCR, which has none of the languages in OCR_LANGUAGES (correct the setting or install them to have them read)',
  },
} as const satisfies Record<string, NoOcr>;

/** For the languages of `OcrOptions`: nobody reads pictures. */
export const ocrOff = 'off';

/** Why nobody reads pictures where `openOcr` gave null for these. */
export function whyNoOcr({ languages, pages }: Pick<OcrOptions, 'languages' | 'pages'>): NoOcr {
  if (pages === 'off') return noOcr.pagesOff;
  if (languages === ocrOff) return noOcr.languagesOff;
  return languages === '' ? noOcr.notInstalled : noOcr.noLanguage;
}

/** Shorter, and a busy machine would seem to have no OCR. */
const listMs = 30_000;

/**
 * Null when Tesseract is not installed, has none of the languages, or does not answer within half a minute. The program itself says nothing of a
 * picture's points: without `decode`, only PNGs can be turned.
 */
export async function createOcr(
  options: OcrOptions,
  decode: (image: Uint8Array) => Promise<GreyPicture | null> | null = () => null,
): Promise<Ocr | null> {
  const command = options.command ?? ocrCommand;
  const languages = chooseLanguages(await installedLanguages(command), options.languages);
  if (languages.length === 0) return null;
  const attempts = options.languages === '' ? attemptsOf(languages) : [languages.join('+')];
  return {
    languages,
    async read(image, onSeen, onDoubt) {
      const { clockMs = clockFactor * options.timeoutMs } = options;
      const startedAt = performance.now();
      const reading = await readPicture(image, {
        attempts,
        recognise: (picture, wanted, mode) => readTable(command, picture, wanted, mode, options),
        decode,
        decodesLate: true,
        hasTime: () => performance.now() - startedAt < clockMs / 2,
      });
      const { text, seen } = seenIn(reading);
      if (seen !== null) onSeen?.(seen);
      if (reading.isDoubtful) onDoubt?.();
      return text;
    },
  };
}

/** Of Tesseract; none where it is not installed, or does not answer. */
export async function installedLanguages(command: string = ocrCommand): Promise<readonly string[]> {
  const listed = await run([command, '--list-langs'], new Uint8Array(), listMs).catch(() => null);
  if (listed?.code !== 0) return [];
  return listed.output
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((language) => language !== '');
}

async function readTable(
  command: string,
  image: Uint8Array,
  languages: string,
  mode: PageMode,
  { timeoutMs, clockMs = clockFactor * timeoutMs }: OcrOptions,
): Promise<string> {
  // One thread a picture: Tesseract's own threads gain little and would take the cores of other tasks.
  const words = ['env', 'OMP_THREAD_LIMIT=1', command, 'stdin', 'stdout', '-l', languages, '--psm', String(pageModes[mode]), 'tsv'];
  const { code, signal, output } = await run(limited(words, timeoutMs), image, clockMs);
  // Killed: the machine has no memory left.
  if (code === 'timeout' || signal === 'SIGKILL')
    throw new DocumentError('stalled', 'Reading the text in a picture made no progress on the server', { retryable: true });
  if (signal === 'SIGXCPU' || code === killedByCpuLimit) throw tooLong(timeoutMs);
  if (code !== 0) throw new DocumentError('corrupt', 'The picture is damaged or of a kind that OCR cannot read');
  return output;
}

/** A picture's time is over. */
export function tooLong(timeoutMs: number): DocumentError {
  return new DocumentError('timeout', `Reading the text in a picture took longer than ${timeoutMs} ms (PAGE_TIMEOUT_MS)`);
}

function chooseLanguages(installed: readonly string[], wanted: string): readonly string[] {
  if (wanted !== '') return wanted.split('+').filter((language) => installed.includes(language));
  const usual = ['eng', 'chi_sim', 'chi_tra'].filter((language) => installed.includes(language));
  return usual.length > 0 ? usual : installed.filter((language) => language !== 'osd').slice(0, 3);
}

/** By the clock a picture has so many times its processor time. */
export const clockFactor = 10;
/** As shells say it of a program that they have waited for. */
const killedByCpuLimit = 128 + 24;

/** A program that the system ends when it has computed for so long. */
function limited(words: readonly string[], cpuMs: number): string[] {
  return ['sh', '-c', `ulimit -S -t ${Math.ceil(cpuMs / 1000)}; exec "$@"`, 'sh', ...words];
}

const outputBytesMax = 16 * 1024 * 1024;

/** Runs a program; what it prints beyond 16 MiB is dropped. Rejects when it cannot be started. */
function run(
  words: readonly string[],
  stdin: Uint8Array,
  timeoutMs: number,
): Promise<{ code: number | null | 'timeout'; signal: NodeJS.Signals | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(words[0]!, words.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] });
    const parts: Buffer[] = [];
    let bytes = 0;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= outputBytesMax) parts.push(part);
    });
    child.stdin.on('error', () => {}); // it may end before it has read all
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: isLate ? 'timeout' : code, signal, output: Buffer.concat(parts).toString('utf8') });
    });
    child.stdin.end(stdin);
  });
}
