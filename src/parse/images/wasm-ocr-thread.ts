/** The thread in which Tesseract runs as WebAssembly: one picture at a time, asked for by a message, answered by one. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import type { OcrThreadAnswer, OcrThreadData } from './wasm-ocr.ts';

/** What is used of `tesseract.js-core`. */
type TessApi = {
  Init(path: null, languages: string, engine: number): number;
  SetPageSegMode(mode: number): void;
  /** Reads `/input`; 1 when it cannot. */
  SetImageFile(exif: number, angle: number, upscale: boolean): number;
  Recognize(monitor: null): number;
  GetUTF8Text(): string;
  /** 0–100 */
  MeanTextConf(): number;
  Clear(): void;
  End(): void;
};
type Core = { FS: { writeFile(path: string, data: Uint8Array): void }; TessBaseAPI: new () => TessApi };

const { corePath, models, attempts } = workerData as OcrThreadData;
/** The only engine of these models. */
const neuralNets = 1;
/** Finds columns and blocks by itself. */
const automatic = 3;
/** Above this a reading is believed without another. */
const believed = 85;

const load = createRequire(import.meta.url)(corePath) as (options: object) => Promise<Core>;
const core = await load({});
for (const [language, path] of Object.entries(models)) core.FS.writeFile(`${language}.traineddata`, gunzipSync(readFileSync(path)));
const apis = new Map<string, TessApi>();

parentPort!.on('message', (image: Uint8Array) => parentPort!.postMessage(read(image)));

/** By the first languages that are believed, else by those that were surest. */
function read(image: Uint8Array): OcrThreadAnswer {
  core.FS.writeFile('/input', image);
  let best = { text: '', confidence: -1 };
  for (const languages of attempts) {
    const api = apiFor(languages);
    if (api.SetImageFile(1, 0, false) === 1) return { error: 'not a picture' };
    api.Recognize(null);
    const found = { text: api.GetUTF8Text(), confidence: api.MeanTextConf() };
    api.Clear();
    if (found.confidence > best.confidence) best = found;
    if (found.confidence >= believed) break;
  }
  return { text: best.text };
}

function apiFor(languages: string): TessApi {
  const known = apis.get(languages);
  if (known !== undefined) return known;
  const api = new core.TessBaseAPI();
  if (api.Init(null, languages, neuralNets) !== 0) throw new Error(`Tesseract does not start with ${languages}`);
  api.SetPageSegMode(automatic);
  apis.set(languages, api);
  return api;
}
