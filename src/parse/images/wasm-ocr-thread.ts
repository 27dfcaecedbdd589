/** The thread in which Tesseract runs as WebAssembly: one picture at a time, asked for by a message, answered by one. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { type GreyPicture, readPng } from './grey-picture.ts';
import { readPicture, seenIn } from './read-picture.ts';
import { type PageMode, pageModes } from './seen-page.ts';
import type { OcrThreadAnswer, OcrThreadData, OcrThreadTask } from './wasm-ocr.ts';

/** What is used of `tesseract.js-core`. */
type TessApi = {
  Init(path: null, languages: string, engine: number): number;
  SetPageSegMode(mode: number): void;
  /** Reads `/input`; 1 when it cannot. */
  SetImageFile(exif: number, angle: number, upscale: boolean): number;
  Recognize(monitor: null): number;
  GetTSVText(page: number): string;
  /** Grey, to `/image.png`. */
  WriteImage(kind: 1): void;
  Clear(): void;
  End(): void;
};
type Core = {
  FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  TessBaseAPI: new () => TessApi;
};

const { corePath, models, attempts, cpuMsMax } = workerData as OcrThreadData;
/** The only engine of these models. */
const neuralNets = 1;

const load = createRequire(import.meta.url)(corePath) as (options: object) => Promise<Core>;
// What it prints would wait for a reader, and keep a process from ending.
const core = await load({ print() {}, printErr() {} });
for (const [language, path] of Object.entries(models)) core.FS.writeFile(`${language}.traineddata`, gunzipSync(readFileSync(path)));
const apis = new Map<string, TessApi>();
/** The picture that Tesseract has before it. */
let shown: Uint8Array | null = null;

class NoPicture extends Error {}

parentPort!.on('message', (task: OcrThreadTask) => {
  void answerTo(task).then((answer) => parentPort!.postMessage(answer));
});

async function answerTo({ image, wanted }: OcrThreadTask): Promise<OcrThreadAnswer> {
  if (wanted === 'points') return { points: decoded(image) };
  const startedMs = cpuMs();
  try {
    const reading = await readPicture(image, {
      attempts,
      recognise,
      decode: decoded,
      hasTime: () => cpuMs() - startedMs < cpuMsMax,
    });
    return { ...seenIn(reading), isDoubtful: reading.isDoubtful };
  } catch (error) {
    if (error instanceof NoPicture) return { error: 'not a picture' };
    throw error;
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function recognise(image: Uint8Array, languages: string, mode: PageMode): string {
  if (!show(image, languages)) throw new NoPicture();
  const api = apiFor(languages);
  api.SetPageSegMode(pageModes[mode]);
  api.Recognize(null);
  const table = api.GetTSVText(0);
  api.Clear();
  return table;
}

/** Whether it is a picture. */
function show(image: Uint8Array, languages: string): boolean {
  if (image !== shown) core.FS.writeFile('/input', image);
  shown = image;
  return apiFor(languages).SetImageFile(1, 0, false) !== 1;
}

/** By Tesseract's own readers of pictures. */
function decoded(image: Uint8Array): GreyPicture | null {
  if (!show(image, attempts[0]!)) return null;
  apiFor(attempts[0]!).WriteImage(1);
  return readPng(core.FS.readFile('/image.png'));
}

function apiFor(languages: string): TessApi {
  const known = apis.get(languages);
  if (known !== undefined) return known;
  const api = new core.TessBaseAPI();
  if (api.Init(null, languages, neuralNets) !== 0) throw new Error(`Tesseract does not start with ${languages}`);
  apis.set(languages, api);
  return api;
}
