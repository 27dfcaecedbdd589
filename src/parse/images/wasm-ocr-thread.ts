/** The thread in which Tesseract runs as WebAssembly: one picture at a time, asked for by a message, answered by one. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { type GreyPicture, readable, readPng } from './grey-picture.ts';
import { type PageMode, pageModes, placesOf, readSurest, seenSize, type SeenWord, seenWords, textOf } from './seen-page.ts';
import type { OcrThreadAnswer, OcrThreadData } from './wasm-ocr.ts';

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

const { corePath, models, attempts } = workerData as OcrThreadData;
/** The only engine of these models. */
const neuralNets = 1;

const load = createRequire(import.meta.url)(corePath) as (options: object) => Promise<Core>;
// What it prints would wait for a reader, and keep a process from ending.
const core = await load({ print() {}, printErr() {} });
for (const [language, path] of Object.entries(models)) core.FS.writeFile(`${language}.traineddata`, gunzipSync(readFileSync(path)));
const apis = new Map<string, TessApi>();
type PageSize = { readonly width: number; readonly height: number };
/** Of the picture that is being read, once it is known. */
let size: PageSize | null = null;

parentPort!.on('message', (image: Uint8Array) => {
  void read(image).then((answer) => parentPort!.postMessage(answer));
});

async function read(image: Uint8Array): Promise<OcrThreadAnswer> {
  if (!show(readable(image, decoded))) return { error: 'not a picture' };
  size = null;
  const words = await readSurest(attempts, recognise);
  return { text: textOf(words), seen: size === null ? null : { ...(size as PageSize), texts: placesOf(words) } };
}

function recognise(languages: string, mode: PageMode): SeenWord[] {
  const api = apiFor(languages);
  api.SetPageSegMode(pageModes[mode]);
  api.SetImageFile(1, 0, false);
  api.Recognize(null);
  const table = api.GetTSVText(0);
  size ??= seenSize(table);
  const words = seenWords(table);
  api.Clear();
  return words;
}

/** Whether it is a picture. */
function show(image: Uint8Array): boolean {
  core.FS.writeFile('/input', image);
  return apiFor(attempts[0]!).SetImageFile(1, 0, false) !== 1;
}

/** By Tesseract's own readers of pictures. */
function decoded(image: Uint8Array): GreyPicture | null {
  if (!show(image)) return null;
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
