/** What became of an ingest run: as data, and in words that say how many, what failed and why, what to do next. */
import type { MirrorOutcome } from './mirror.ts';
import { counted, fileSize, printable } from './terminal-text.ts';

/** `inserted` by this run (or a run before it whose task this one followed), `present` with the same bytes already. */
export type FileOutcome = {
  readonly path: string;
  /** Null for what could not be given one. */
  readonly doc_id: string | null;
  readonly outcome: 'inserted' | 'present' | 'failed' | 'not_sent';
  readonly task_id: string | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly pages: number | null;
  readonly chunks: number | null;
};

export type IngestReport = {
  readonly files: number;
  readonly inserted: number;
  readonly present: number;
  readonly failed: number;
  readonly not_sent: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Why the run ended before its time, or null. */
  readonly stopped: string | null;
  readonly documents: readonly FileOutcome[];
};

const passedOverShown = 10;

export function reportText(report: IngestReport, passedOver: readonly string[], mirrored: MirrorOutcome | null): string {
  const { files, inserted, present, failed, not_sent, bytes, seconds, stopped, documents } = report;
  const lines = [
    `${counted(files, 'file')} (${fileSize(bytes)}) in ${seconds} s: ${inserted} inserted, ${present} already there, ${failed} failed, ${not_sent} not sent.`,
  ];
  const failures = documents.filter(({ outcome }) => outcome === 'failed');
  if (failures.length > 0) lines.push('Failed:');
  for (const { path, error, task_id } of failures)
    lines.push(`  ${printable(path)}: ${printable(error ?? 'unknown')}${task_id === null ? '' : ` (task ${task_id})`}`);
  if (passedOver.length > 0) {
    const more = passedOver.length > passedOverShown ? ` and ${passedOver.length - passedOverShown} more` : '';
    lines.push(`Skipped (links, devices, dot files): ${passedOver.slice(0, passedOverShown).map(printable).join(', ')}${more}`);
  }
  if (mirrored !== null) lines.push(`Deleted from the server: ${mirrored.removed.length}.`, ...mirrored.refused.map(printable));
  if (stopped !== null) lines.push(`Stopped: ${printable(stopped)}`);
  if (not_sent > 0) lines.push('Run the same command again to continue where it stopped.');
  return lines.join('\n');
}
