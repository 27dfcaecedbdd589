/** English words as the index knows them: by Porter's stems, remembered. */
import { stemmer } from 'stemmer';

/** A folded word as the index knows it. */
export function stemOf(surface: string): string {
  if (surface.length < 3) return surface;
  const known = stems.get(surface) ?? olderStems.get(surface);
  if (known !== undefined) return known;
  const stem = /^[a-z]+$/.test(surface) ? stemmer(surface) : surface;
  if (stems.size >= stemsMax) {
    olderStems = stems;
    stems = new Map();
  }
  stems.set(surface, stem);
  return stem;
}

/** Stems kept in memory, twice: when the newer half is full, the older one is dropped. Stemming costs 1–2 µs. */
const stemsMax = 100_000;
let stems = new Map<string, string>();
let olderStems = new Map<string, string>();
