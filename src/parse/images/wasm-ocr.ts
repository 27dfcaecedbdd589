/**
 * OCR without an installation: Tesseract as WebAssembly (`tesseract.js-core`) with models for English and Chinese from npm, in a thread of
 * its own, from files only. Slower than the program (1–3 times), so that comes first where it is installed.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DocumentError } from '../../errors.ts';
import type { GreyPicture } from './grey-picture.ts';
import { clockFactor, type Ocr, type OcrOptions, tooLong } from './ocr.ts';
import { attemptsOf, type SeenText } from './seen-page.ts';

/** What the thread is started with. */
export type OcrThreadData = {
  /** The module of Tesseract. */
  readonly corePath: string;
  /** Packed models by language. */
  readonly models: Readonly<Record<string, string>>;
  /** Languages that are tried one after the other, each joined by `+`. */
  readonly attempts: readonly string[];
  /** Processor time behind which what was read is not read again. */
  readonly cpuMsMax: number;
};

/** What the thread is asked: to read a picture, or for its points. */
export type OcrThreadTask = { readonly image: Uint8Array; readonly wanted: 'text' | 'points' };

export type OcrThreadAnswer =
  | { readonly text: string; readonly seen: SeenText | null; readonly isDoubtful: boolean }
  | { readonly points: GreyPicture | null }
  | { readonly error: string };

const require = createRequire(import.meta.url);
const core = 'tesseract.js-core/tesseract-core-simd-lstm.js';
const usual = ['eng', 'chi_sim', 'chi_tra'];

/** Null where the packages are not installed, or none of the languages is there. Starts nothing yet. */
export function createWasmOcr(options: OcrOptions): Ocr | null {
  const corePath = resolved(core);
  if (corePath === null) return null;
  const wanted = options.languages === '' ? usual : options.languages.split('+');
  const models = Object.fromEntries(wanted.flatMap((language) => modelOf(language)));
  const languages = wanted.filter((language) => models[language] !== undefined);
  if (languages.length === 0) return null;
  const attempts = options.languages === '' ? attemptsOf(languages) : [languages.join('+')];
  const data: OcrThreadData = { corePath, models, attempts, cpuMsMax: attempts.length * options.timeoutMs };
  let worker: Worker | null = null;
  return {
    languages,
    async read(image, onSeen, onDoubt) {
      worker ??= startThread(data);
      try {
        const answer = await ask(worker, { image, wanted: 'text' }, options, turnsRead * attempts.length);
        if (!('text' in answer)) throw new DocumentError('corrupt', 'The picture is damaged or of a kind that OCR cannot read');
        if (answer.seen !== null) onSeen?.(answer.seen);
        if (answer.isDoubtful) onDoubt?.();
        return answer.text;
      } catch (error) {
        // Whatever state it is in now, the next picture gets another.
        void worker.terminate();
        worker = null;
        throw error;
      }
    },
  };
}

/** As it lies, and as it should. */
const turnsRead = 2;

/** The points of a picture of any kind; null where Tesseract's packages are not installed, and for what is no picture. Errors as of a reading. */
export async function decodePicture(image: Uint8Array, options: OcrOptions): Promise<GreyPicture | null> {
  const corePath = resolved(core);
  const [language] = ownLanguages([]);
  if (corePath === null || language === undefined) return null;
  const models = Object.fromEntries(modelOf(language));
  const worker = startThread({ corePath, models, attempts: [language], cpuMsMax: 0 });
  try {
    const answer = await ask(worker, { image, wanted: 'points' }, options, 1);
    return 'points' in answer ? answer.points : null;
  } finally {
    await worker.terminate();
  }
}

/** Models that come with the program, and those of `wanted` that somebody has added; none where Tesseract's package is missing. */
export function ownLanguages(wanted: readonly string[]): readonly string[] {
  if (resolved(core) === null) return [];
  return [...new Set([...usual, ...wanted])].filter((language) => modelOf(language).length > 0);
}

function resolved(name: string): string | null {
  try {
    return require.resolve(name);
  } catch {
    return null;
  }
}

function modelOf(language: string): [string, string][] {
  const index = /^\w+$/.test(language) ? resolved(`@tesseract.js-data/${language}`) : null;
  const path = index === null ? '' : join(dirname(index), '4.0.0_best_int', `${language}.traineddata.gz`);
  return path !== '' && existsSync(path) ? [[language, path]] : [];
}

function startThread(data: OcrThreadData): Worker {
  const worker = new Worker(new URL(`./wasm-ocr-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: data,
    stdout: true,
    stderr: true,
  });
  return worker;
}

/** How often the thread's processor time is looked at. */
const watchMs = 250;

function ask(
  worker: Worker,
  task: OcrThreadTask,
  { timeoutMs, clockMs = clockFactor * timeoutMs }: OcrOptions,
  readings: number,
): Promise<OcrThreadAnswer> {
  return new Promise((resolve, reject) => {
    let startedCpuMs: number | null = null;
    const end = (settle: () => void): void => {
      clearInterval(watch);
      clearTimeout(deadline);
      for (const name of ['message', 'error', 'exit']) worker.removeAllListeners(name);
      worker.unref();
      settle();
    };
    const watch = setInterval(() => {
      void worker.cpuUsage().then(
        ({ user, system }) => {
          const cpuMs = (user + system) / 1000;
          startedCpuMs ??= cpuMs;
          if (cpuMs - startedCpuMs > timeoutMs * readings) end(() => reject(tooLong(timeoutMs * readings)));
        },
        () => {}, // it has ended, and says so itself
      );
    }, watchMs);
    const deadline = setTimeout(() => {
      const stalled = new DocumentError('stalled', 'Reading the text in a picture made no progress on the server', {
        retryable: true,
      });
      end(() => reject(stalled));
    }, clockMs);
    worker.ref();
    worker.once('message', (answer: OcrThreadAnswer) => end(() => resolve(answer)));
    worker.once('error', (error) => end(() => reject(error)));
    worker.once('exit', (code) => end(() => reject(new Error(`The thread that reads pictures ended with ${code}`))));
    worker.postMessage(task);
  });
}
