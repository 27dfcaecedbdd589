/** The bounds of one parse where nobody has set others: the settings of the server and the library start from these. */
import type { ParseLimits } from './parser.ts';

const MiB = 1024 * 1024;

export const usualLimits: ParseLimits = {
  unpackedBytesMax: 1024 * MiB,
  entriesMax: 10_000,
  ratioMax: 200,
  depthMax: 256,
  pagesMax: 10_000,
  cellsMax: 2_000_000,
  charactersMax: 120_000_000,
  pixelsMax: 100_000_000,
  pdfMemoryMb: 512,
  pageMs: 15_000,
};
