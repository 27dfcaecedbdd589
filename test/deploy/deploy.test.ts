import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsTable } from '../../src/config.ts';
import { createHttpMetrics } from '../../src/http/live/metrics.ts';
import { createMemoryServices } from '../support/memory-services.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-intake-deploy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

describe('the Grafana dashboard and the alerts', () => {
  const published = new Set<string>();
  beforeAll(async () => {
    const metrics = createHttpMetrics({ eventStreams: () => 0, uploads: () => 0 });
    const { text } = await metrics.page(createMemoryServices({ folder }).services, 0);
    metrics.close();
    for (const [, name, kind] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
      for (const suffix of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) published.add(name! + suffix);
  });
  const asked = (text: string) => new Set([...text.matchAll(/\b(?:rag|process|nodejs)_[a-z_0-9]+/g)].map(([name]) => name));

  it('ask only for metrics that the server has', () => {
    expect(published.size).toBeGreaterThan(20);
    const names = [...asked(read('deploy/grafana-dashboard.json')), ...asked(read('deploy/alerts.yaml'))];
    expect(names.filter((name) => !published.has(name))).toEqual([]);
  });

  it('show every metric', () => {
    const shown = asked(read('deploy/grafana-dashboard.json'));
    const hidden = [...published].filter((name) => !/_(sum|count)$/.test(name) && !shown.has(name));
    expect(hidden).toEqual([]);
  });

  it('give every panel a place of its own', () => {
    const { panels } = JSON.parse(read('deploy/grafana-dashboard.json')) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    for (const { id, gridPos: one } of panels) {
      expect(one.x + one.w).toBeLessThanOrEqual(24);
      const over = panels.filter(
        ({ id: other, gridPos: two }) =>
          other !== id && one.x < two.x + two.w && two.x < one.x + one.w && one.y < two.y + two.h && two.y < one.y + one.h,
      );
      expect(over).toEqual([]);
    }
  });
});

describe('the ways to run it', () => {
  const known = new Set(settingsTable().map(({ name }) => name));

  it.each([
    'compose.yaml',
    'deploy/compose.postgres.yaml',
    'deploy/compose.host.yaml',
    'deploy/rag-intake.service',
    'deploy/rag-intake@.service',
    'deploy/nginx.conf',
    'deploy/Caddyfile',
    'docs/operations.md',
    'docs/operations.zh-CN.md',
  ])('%s names only settings that exist', (name) => {
    const named = [...read(name).matchAll(/\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT|MCP)(?:=|\b)/g)].map(
      ([, setting]) => setting!,
    );
    const foreign = [
      'NODE_ENV',
      'UV_THREADPOOL_SIZE',
      'MALLOC_ARENA_MAX',
      'NODE_OPTIONS',
      'NODE_EXTRA_CA_CERTS',
      'RAG_INTAKE_URL',
      'RAG_INTAKE_KEY',
      'RAG_INTAKE_COLLECTION',
      'AF_INET',
      'AF_INET6',
      'AF_UNIX',
      'DATABASE_PASSWORD',
      'POSTGRES_USER',
      'POSTGRES_PASSWORD',
      'POSTGRES_DB',
    ];
    expect(named.filter((setting) => !known.has(setting) && !foreign.includes(setting))).toEqual([]);
  });

  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  it.each([
    ['npm start', scripts['start']!],
    ['npm run worker', scripts['worker']!],
    ...['Dockerfile', 'deploy/rag-intake.service', 'deploy/rag-intake@.service', 'src/cli/main.ts', 'test/support/server.ts'].map(
      (name) => [name, read(name)],
    ),
  ])('%s starts the server with the same threads and the same bounds on memory', (_name, text) => {
    const settings = text!.replaceAll(/\$\{[A-Z_]+:-|[ '"]/g, '').replaceAll(':', '=');
    for (const setting of [
      'UV_THREADPOOL_SIZE=16',
      'MALLOC_ARENA_MAX=2',
      'MALLOC_MMAP_THRESHOLD_=1048576',
      'NODE_OPTIONS=--max-semi-space-size=8',
    ])
      expect(settings).toContain(setting);
  });

  it.each(['rag-intake.service', 'rag-intake-watch@.service'])(
    '%s is accepted by systemd and exposes little, where systemd is installed',
    (name) => {
      if (spawnSync('systemd-analyze', ['--version']).error !== undefined) return;
      const unit = join(folder, name);
      writeFileSync(unit, read(`deploy/${name}`).replace('/usr/bin/node', process.execPath));

      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
      const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], { encoding: 'utf8' });

      expect(verified.stderr.split('\n').filter((line) => line.includes('rag-intake'))).toEqual([]);
      expect(Number(/exposure level for .*: (\d+\.\d)/.exec(security.stdout)?.[1])).toBeLessThanOrEqual(2);
    },
  );

  it.each([
    ['nginx', ['-t', '-q', '-c'], () => nginxConfig()],
    [
      'caddy',
      ['validate', '--adapter', 'caddyfile', '--config'],
      () => new URL('../../deploy/Caddyfile', import.meta.url).pathname,
    ],
  ])('%s accepts the sample, where it is installed', (program, args, config) => {
    if (spawnSync(program, ['-h']).error !== undefined) return;
    const { status, stderr } = spawnSync(program, [...args, config()], { encoding: 'utf8' });

    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  });
});

/** The sample as a whole configuration, with a certificate that exists. */
function nginxConfig(): string {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    '1',
    '-subj',
    '/CN=rag.example.com',
  ]);
  const site = read('deploy/nginx.conf')
    .replace(/ssl_certificate .*;/, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`);
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, `pid ${join(folder, 'nginx.pid')};\nerror_log stderr;\nevents {}\nhttp {\n${site}\n}\n`);
  return path;
}
