/** Backups by themselves: when they are due, that they are whole, that the old ones go; and one of a real server, restored. */
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBackupSchedule, lastDue } from '../../src/ingest/backup-schedule.ts';
import { runCommand } from '../support/command.ts';
import { collectingLogger } from '../support/http-server.ts';
import { startServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const day = 86_400_000;
const noon = new Date(2026, 2, 10, 12, 0).getTime();

describe('a scheduled backup', () => {
  const whole = async (target: string): Promise<{ damaged: number }> => {
    await mkdir(target);
    await writeFile(join(target, 'manifest.json'), '{}');
    return { damaged: 0 };
  };

  it('is due once a day, at a time of this machine', () => {
    expect(lastDue(noon, '02:30')).toEqual(new Date(2026, 2, 10, 2, 30));
    expect(lastDue(noon, '12:00')).toEqual(new Date(2026, 2, 10, 12, 0));
    expect(lastDue(noon, '12:01')).toEqual(new Date(2026, 2, 9, 12, 1));
    expect(lastDue(new Date(2026, 0, 1, 0, 0).getTime(), '23:59')).toEqual(new Date(2025, 11, 31, 23, 59));
  });

  it('is made when it is not there, once, and the oldest go beyond what is kept', async () => {
    await using dir = await tempDir();
    let nowMs = noon;
    const schedule = createBackupSchedule({
      folder: dir.path,
      at: '02:30',
      keep: 2,
      run: whole,
      nowMs: () => nowMs,
      logger: collectingLogger([]),
    });
    await mkdir(join(dir.path, 'other-things'));
    for (let n = 0; n < 4; n += 1, nowMs += day) expect([await schedule.look(), await schedule.look()]).toEqual(['made', 'there']);
    expect((await readdir(dir.path)).toSorted()).toEqual(['backup-2026-03-12', 'backup-2026-03-13', 'other-things']);
  });

  it('that broke off leaves nothing that looks like one, takes no old one along, and is made by the next try', async () => {
    await using dir = await tempDir();
    let fails = true;
    const log: Parameters<typeof collectingLogger>[0] = [];
    const run = async (target: string): Promise<{ damaged: number }> => {
      await mkdir(target);
      if (fails) throw new Error('disk full');
      return { damaged: 0 };
    };
    const schedule = createBackupSchedule({
      folder: dir.path,
      at: '02:30',
      keep: 1,
      run: (target) => (fails ? run(target) : whole(target)),
      nowMs: () => noon,
      logger: collectingLogger(log),
    });
    await mkdir(join(dir.path, 'backup-2026-03-09'));
    expect(await schedule.look()).toBe('failed');
    expect(await readdir(dir.path)).toContain('backup-2026-03-09');
    expect(JSON.stringify(log)).toContain('disk full');
    fails = false;
    expect(await schedule.look()).toBe('made');
    expect(await readdir(dir.path)).toEqual(['backup-2026-03-10']);
  });

  it('is made by one of several processes', async () => {
    await using dir = await tempDir();
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = async (target: string): Promise<{ damaged: number }> => {
      begun.resolve();
      await goOn.promise;
      return whole(target);
    };
    const options = { folder: dir.path, at: '02:30', keep: 2, nowMs: () => noon, logger: collectingLogger([]) };
    const one = createBackupSchedule({ ...options, run: slow }).look();
    await begun.promise;
    expect(await createBackupSchedule({ ...options, run: whole }).look()).toBe('elsewhere');
    goOn.resolve();
    expect(await one).toBe('made');
  });

  it('of a server that works is there soon after its start, and can be restored', async () => {
    await using dir = await tempDir();
    const at = (name: string): string => join(dir.path, name);
    const first = await startServer({ dataDir: at('data') });
    await fetch(`${first.url}/documents/pump?filename=pump.txt`, { method: 'PUT', body: 'Vent the pump.' });
    await first.stop();
    await mkdir(at('backups'));

    const server = await startServer({ dataDir: at('data'), env: { BACKUP_DIR: at('backups'), BACKUP_AT: '00:00' } });
    await until('a backup is there', async () => (await readdir(at('backups'))).some((name) => /^backup-[\d-]+$/.test(name)));
    await server.stop();
    const name = (await readdir(at('backups'))).find((each) => each.startsWith('backup-'))!;
    await cp(join(at('backups'), name), at('copy'), { recursive: true });
    const restored = await runCommand(['restore', at('copy'), '--data-dir', at('again')]);
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining('Restored 1 document ') as string });
  });
});
