/** A data directory with many ended tasks in it, put where the file engine keeps them: as after months of work. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { v7 } from 'uuid';
import { createLayout } from '../../../src/storage/file/disk/layout.ts';
import { beginTask, createTask, finishTask, type Task, type TaskId } from '../../../src/tasks/task.ts';

/** One a second, the last one now; the newest is called `… <count - 1>.pdf`. */
export async function writeEndedTasks(dataDir: string, count: number): Promise<void> {
  const layout = createLayout(dataDir);
  const startMs = Date.now() - count * 1000;
  const folders = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const atMs = startMs + index * 1000;
    const task = endedTask(v7({ msecs: atMs }) as TaskId, index, new Date(atMs).toISOString());
    const path = layout.record(task.id);
    if (!folders.has(dirname(path))) await mkdir(dirname(path), { recursive: true });
    folders.add(dirname(path));
    await writeFile(path, JSON.stringify(task));
  }
}

function endedTask(id: TaskId, index: number, now: string): Task {
  const fields = {
    id,
    docId: `doc-${index}`,
    filename: index % 3 === 0 ? `报告 ${index}.pdf` : `report ${index}.pdf`,
    fileBytes: 1000 + index,
    sha256: 'a'.repeat(64),
    declaredMediaType: null,
    metadata: null,
    keyId: null,
    lane: 'small',
    attemptsMax: 3,
    createdAt: now,
  } as Parameters<typeof createTask>[0];
  const task = createTask(fields, index);
  const error = { code: 'unsupported_format', message: `Unsupported file format: ${task.filename}`, retryable: false } as const;
  return finishTask(beginTask(task, 'someone', now), { status: 'failed', error }, now);
}
