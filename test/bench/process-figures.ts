/** Figures of processes, as Linux keeps them, and the few statistics that the benchmarks share. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** User and system time of a process so far, in seconds (proc(5): clock ticks of 10 ms). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Its largest resident size so far. */
export function peakBytes(pid: number): number {
  return kilobytes(pid, 'VmHWM') * 1024;
}

/** Its resident size now. */
export function residentBytes(pid: number): number {
  return kilobytes(pid, 'VmRSS') * 1024;
}

/** The processes that a process has started itself. */
export function childrenOf(pid: number): number[] {
  return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Three significant digits. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

function kilobytes(pid: number, name: string): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(name));
  return Number(line?.match(/\d+/)?.[0] ?? 0);
}
