/** Many waiting tasks in a database, quickly: one is uploaded, the others are copies of its rows. */
import type { Engine } from '../../src/storage/engine.ts';
import { docKeyOf } from '../../src/storage/postgres/jobs.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { newId, upload } from './engine-steps.ts';
import { ask } from './postgres.ts';

const atOnce = 5000;

/** So many waiting tasks of the lane `large`, the oldest first; their ids. */
export async function fillQueue(url: string, front: Engine, count: number): Promise<TaskId[]> {
  const first = await upload(front, 'x', { lane: 'large' });
  const ids = [first.id];
  while (ids.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - ids.length) }, newId);
    await copy(url, first.id, some);
    ids.push(...some);
  }
  return ids;
}

async function copy(url: string, from: TaskId, ids: readonly TaskId[]): Promise<void> {
  const values = [from, ids, ids.map((id) => docKeyOf(`doc-${id}`))];
  const made = 'unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS made(id, key, nth)';
  const tasks = `INSERT INTO rag_intake.task SELECT copy.* FROM rag_intake.task AS task, ${made},
    jsonb_populate_record(task, jsonb_build_object('id', made.id, 'doc_key', made.key, 'payload', NULL, 'record',
      jsonb_set(jsonb_set(task.record::jsonb, '{id}', to_jsonb(made.id)), '{docId}', to_jsonb('doc-' || made.id))::text)) AS copy WHERE task.id = $1`;
  const jobs = `INSERT INTO rag_intake_jobs.job SELECT copy.* FROM rag_intake_jobs.job AS job, ${made},
    jsonb_populate_record(job, jsonb_build_object('id', made.id, 'singleton_key', made.key,
      'created_on', clock_timestamp() + made.nth * interval '1 microsecond')) AS copy WHERE job.id = $1 ORDER BY made.nth`;
  for (const sql of [tasks, jobs]) await ask(url, sql, values);
}
