/** How often a property of an engine is tried: a few times in the suite, `ENGINE_MODEL_RUNS` times from `ENGINE_MODEL_SEED` on by hand. */
export function modelRuns({ part }: { part: number }): { numRuns: number; seed?: number } {
  const { ENGINE_MODEL_RUNS: runs = '10', ENGINE_MODEL_SEED: seed } = process.env;
  return { numRuns: Math.ceil(Number(runs) * part), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
