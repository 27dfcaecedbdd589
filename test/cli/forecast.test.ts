/** What the doctor says of tomorrow. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certificateCheck, clockCheck, diskCheck, forecast, nodeCheck } from '../../src/cli/forecast.ts';
import { loadConfig } from '../../src/config.ts';
import { tempDir } from '../support/temp-dir.ts';

const day = 86_400_000;
const now = Date.parse('2026-06-01T12:00:00.000Z');
const GB = 1e9;

describe('the doctor, of tomorrow', () => {
  it('tells when the disk is full, going on as in the last week', () => {
    expect(diskCheck(0, 10 * GB)).toMatchObject({ state: 'ok', sentence: expect.stringContaining('room for years') as string });
    expect(diskCheck(GB, 100 * GB)).toMatchObject({ state: 'ok', sentence: expect.stringContaining('in 100 days') as string });
    expect(diskCheck(GB, 10.5 * GB)).toMatchObject({ state: 'warning', sentence: expect.stringContaining('in 10 days') as string });
    expect(diskCheck(GB, GB / 2).state).toBe('problem');
  });

  it('tells of a clock that is behind what is stored', () => {
    expect(clockCheck(now - day, now).state).toBe('ok');
    expect(clockCheck(now + 60_000, now).state).toBe('ok');
    expect(clockCheck(now + 3_600_000, now)).toMatchObject({
      state: 'warning',
      sentence: expect.stringContaining('60 minutes') as string,
    });
  });

  it('tells how long certificates and Node hold', () => {
    expect(certificateCheck('x', now + 100 * day, now).state).toBe('ok');
    expect(certificateCheck('x', now + 10 * day, now)).toMatchObject({
      state: 'warning',
      sentence: expect.stringContaining('in 10 days') as string,
    });
    expect(certificateCheck('x', now - day, now).state).toBe('problem');
    expect(certificateCheck('x', null, now).state).toBe('warning');
    expect(nodeCheck('24.1.0', now).state).toBe('ok');
    expect(nodeCheck('24.1.0', Date.parse('2028-03-01')).state).toBe('warning');
    expect(nodeCheck('24.1.0', Date.parse('2029-01-01')).sentence).toContain('no security fixes since');
  });

  it('measures the growth of a data directory, the age of its backups, and the certificate of a service', async () => {
    await using dir = await tempDir();
    const at = (...names: string[]): string => join(dir.path, ...names);
    for (const [version, bytes, ageDays] of [
      ['old', 7_000_000, 20],
      ['new', 700_000, 1],
    ] as const) {
      await mkdir(at('data/documents/aa', version), { recursive: true });
      await writeFile(at('data/documents/aa', version, 'original'), Buffer.alloc(bytes));
      await utimes(at('data/documents/aa', version), new Date(now - ageDays * day), new Date(now - ageDays * day));
    }
    await mkdir(at('backups/backup-2026-05-20'), { recursive: true });
    spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      at('key.pem'),
      '-out',
      at('cert.pem'),
      '-days',
      '10',
      '-subj',
      '/CN=localhost',
    ]);
    const service = createServer({ key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(service.address() as AddressInfo).port}`;
    try {
      const config = loadConfig({ DATA_DIR: at('data'), BACKUP_DIR: at('backups') });
      const checks = await forecast(config, { RAG_INTAKE_URL: url, NODE_EXTRA_CA_CERTS: at('cert.pem') }, { nowMs: now });
      const said = (name: string): string[] => checks.filter((check) => check.name === name).map(({ sentence }) => sentence);

      expect(said('growth')[0]).toContain('97.7 KB a day');
      expect(said('clock')).toHaveLength(1);
      expect(said('backup')).toEqual([expect.stringContaining('12 days old')]);
      expect(said('certificate')).toEqual([expect.stringContaining('cert.pem'), expect.stringContaining(url)]);
      expect(said('certificate')[1]).not.toContain('could not be checked');
    } finally {
      service.close();
    }
  });
});
