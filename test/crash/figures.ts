/** Measured figures beside what they must reach, as the torture prints them. */

export type Figure = {
  readonly figure: string;
  readonly value: number | string;
  /** The most that it may be; left out: it only informs. */
  readonly most?: number;
  readonly least?: number;
};

/** Prints the table. True when every figure is where it must be; NaN never is. */
export function showFigures(figures: readonly Figure[]): boolean {
  console.table(
    figures.map(({ figure, value, most, least }) => ({
      figure,
      value,
      'must be': most !== undefined ? `≤ ${most}` : least !== undefined ? `≥ ${least}` : '',
      holds: holds({ figure, value, most, least } as Figure) ? '' : 'NO',
    })),
  );
  return figures.every(holds);
}

function holds({ value, most, least }: Figure): boolean {
  if (most !== undefined && !(Number(value) <= most)) return false;
  return least === undefined || Number(value) >= least;
}

/** The value below which the share `part` (0 … 1) of them lies; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

export function round(value: number, digits = 0): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** The slope of a straight line through points, by least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const meanX = mean(({ x }) => x);
  const meanY = mean(({ y }) => y);
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
}

/** The sentences of `judgeAftermath` and its like by kind; every kind must be absent. */
export function wrongFigures(wrong: readonly string[]): Figure[] {
  const kinds = {
    'acknowledged and lost, or never ended': /lost|never ended/,
    'done twice: completed, begun, made searchable': /times/,
    'unparsable files': /unparsable/,
    'written by a fenced owner': /a fenced process/,
    'temporary files, locks, markers left after the sweep': /^(in a lease|lease directories|workers|queue|tasks|documents)[:/]/,
  };
  return [
    ...Object.entries(kinds).map(([figure, pattern]) => ({
      figure,
      value: wrong.filter((sentence) => pattern.test(sentence)).length,
      most: 0,
    })),
    { figure: 'anything wrong', value: wrong.length, most: 0 },
  ];
}
