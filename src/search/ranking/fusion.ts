/**
 * Words and vectors in one order, by scores. Ranks fused one to one let a model that knows nothing decide as much as the words do:
 * vectors at random took 0.3 of nDCG@10 from what the words alone find (`fusion.test.ts`).
 *
 * Each score is taken between 0 and 1: that of the words by the best of them and as far as one of the best answers has the question's words
 * (`covered`), that of a vector between the farthest and the nearest of those that were looked up. How much the vectors count is asked
 * of themselves: a model that knows the language has what the words find among its nearest, one that does not has it anywhere. Where the words
 * found little they cannot judge, and the vectors count up to half.
 */
import { byScore, type Scored } from './scorer.ts';

const fusionTuning = {
  /** Weight of the nearest vector of a trusted model beside the best answer of the words. */
  vectorWeight: 0.6,
  /** Best answers of the words whose places among the vectors are looked at. */
  judges: 20,
  /** From 0 (they lie anywhere) to 1 (they are the nearest): up to the first a model is not trusted, from the second on wholly. */
  distrusted: 0.2,
  trusted: 0.5,
  /** Least trust: what only vectors find is shown, behind. */
  trustMin: 0.02,
  /** Trust where the words found nothing by which to judge. */
  trustUnjudged: 0.5,
};

type Opinions = {
  /** Best first. */
  readonly byWords: readonly Scored[];
  /** The score by words of a row, also of one that is not among the best. */
  readonly wordsOf: (scored: Scored) => number;
  /** Share of the question that one of the best answers has: from 0 to 1. */
  readonly covered: number;
  /** Nearest first, with their similarities as scores. */
  readonly byVector: readonly Scored[];
  /** Chunks that could have been found. */
  readonly chunks: number;
};

/** All rows of both, best first. */
export function fuse(opinions: Opinions): Scored[] {
  const { byWords, byVector, wordsOf, covered } = opinions;
  const best = byWords[0]?.score ?? 0;
  const ofWords = best === 0 ? 0 : Math.max(covered, 0.1) / best;
  const ofVectors = fusionTuning.vectorWeight * trustIn(opinions);
  const [nearest, farthest] = [byVector[0]?.score ?? 0, byVector.at(-1)?.score ?? 0];
  const range = nearest - farthest;
  const fused = new Map(byWords.map((scored) => [scored.chunkId, { ...scored, score: ofWords * scored.score }]));
  for (const scored of byVector) {
    const words = fused.get(scored.chunkId)?.score ?? ofWords * wordsOf(scored);
    const near = range <= 0 ? 0 : (scored.score - farthest) / range;
    fused.set(scored.chunkId, { ...scored, score: words + ofVectors * near });
  }
  return [...fused.values()].sort(byScore);
}

/** How far the vectors are to be believed on this question: from `trustMin` to 1. */
function trustIn({ byWords, byVector, covered, chunks }: Opinions): number {
  const judges = byWords.slice(0, fusionTuning.judges);
  const places = new Map(byVector.map(({ chunkId }, place) => [chunkId, place]));
  const elsewhere = (byVector.length + chunks) / 2;
  const sum = judges.reduce((all, { chunkId }) => all + 1 - (2 * (places.get(chunkId) ?? elsewhere)) / Math.max(1, chunks), 0);
  // Few judges say little: as many more of them are taken to have found the rows anywhere.
  const agreement = sum / Math.max(judges.length, fusionTuning.judges / 2);
  const { distrusted, trusted, trustMin, trustUnjudged } = fusionTuning;
  const judged = Math.min(1, Math.max(0, (agreement - distrusted) / (trusted - distrusted)));
  return Math.max(trustMin, covered * judged + (1 - covered) * Math.max(judged, (1 - covered) * trustUnjudged));
}
