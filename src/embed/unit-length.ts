/** Vectors of unit length, so that their product is their cosine. */

/** In place. Null for a vector without direction, or with something in it that is no number. */
export function toUnitLength(vector: Float32Array): Float32Array | null {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (!Number.isFinite(length) || length === 0) return null;
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return vector;
}
