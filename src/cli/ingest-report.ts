/** The end of an ingest run in words: how many, what failed and why, what to do next. */
import type { IngestReport } from './ingest.ts';
import { fileSize, printable } from './terminal-text.ts';

const passedOverShown = 10;

export function reportText(report: IngestReport, passedOver: readonly string[]): string {
  const { files, inserted, present, failed, not_sent, bytes, seconds, stopped, documents } = report;
  const lines = [
    `${files} files (${fileSize(bytes)}) in ${seconds} s: ${inserted} inserted, ${present} already there, ${failed} failed, ${not_sent} not sent.`,
  ];
  const failures = documents.filter(({ outcome }) => outcome === 'failed');
  if (failures.length > 0) lines.push('Failed:');
  for (const { path, error, task_id } of failures)
    lines.push(`  ${printable(path)}: ${printable(error ?? 'unknown')}${task_id === null ? '' : ` (task ${task_id})`}`);
  if (passedOver.length > 0) {
    const more = passedOver.length > passedOverShown ? ` and ${passedOver.length - passedOverShown} more` : '';
    lines.push(`Passed over (links, devices, dot files): ${passedOver.slice(0, passedOverShown).map(printable).join(', ')}${more}`);
  }
  if (stopped !== null) lines.push(`Stopped: ${printable(stopped)}`);
  if (not_sent > 0) lines.push('Run the same command again: it goes on where it stopped.');
  return lines.join('\n');
}
