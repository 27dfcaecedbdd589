/** Which of the transactions of a server on PostgreSQL its documents ask for. */
import type { SeenTransaction } from './statement-link.ts';

/**
 * What is done by the clock, however many documents come: signs of life, counts of what waits, merges and the like, and what is told of
 * tasks that are on their way for long.
 */
const byTheClock = [
  /UPDATE owner SET seen_at/,
  /^SELECT id, role, extract/,
  /SELECT id FROM task WHERE cancel/,
  /SELECT count\(\*\) AS n FROM lease/,
  /pg_try_advisory/,
  /pg_notify.* of step$/,
  /^INSERT INTO progress/,
  /^SELECT record FROM task WHERE id = ANY/,
  // The check for damage, which goes through all documents.
  /^SELECT (data FROM blob_chunk|part, blob FROM document_part|doc_key, version FROM current_version)/,
  /current_setting/,
  /FROM (damage|delivery|removed|document AS|collection WHERE removing)/,
];

/** Looks for work that nobody announced are not told from others. */
export function isForDocuments(transaction: SeenTransaction): boolean {
  return !byTheClock.some((pattern) => transaction.slice(0, 2).some((statement) => pattern.test(statement)));
}
