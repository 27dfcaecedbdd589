/** Small charts as inline SVG, drawn with attributes alone; each says its figures in words to those who do not see it. */
import type { VNode } from 'preact';

const width = 300;
const height = 64;

type BarProps = {
  readonly bars: readonly { readonly good: number; readonly bad: number; readonly title: string }[];
  readonly label: string;
};

/** One bar each, the bad part on top of the good one. */
export function BarChart({ bars, label }: BarProps): VNode {
  const max = Math.max(1, ...bars.map(({ good, bad }) => good + bad));
  const step = width / Math.max(1, bars.length);
  const scale = (value: number): number => (value / max) * (height - 6);
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="chart-base" d={`M0 ${height - 1}H${width}`} />
      {bars.map(({ good, bad, title }, index) => (
        <g key={title}>
          <title>{title}</title>
          <rect class="bar-good" x={index * step + 0.5} y={height - scale(good)} width={step - 1} height={scale(good)} />
          <rect class="bar-bad" x={index * step + 0.5} y={height - scale(good + bad)} width={step - 1} height={scale(bad)} />
        </g>
      ))}
    </svg>
  );
}
