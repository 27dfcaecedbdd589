import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { confinement } from '../../src/ingest/confinement.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { insert, makeDataDir, removeDir, search, startServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

const programDir = fileURLToPath(new URL('../..', import.meta.url));
const child = fileURLToPath(new URL('../support/confined-child.ts', import.meta.url));

/** How a confined process fares with what it tries. */
async function attempts(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  await using place = await tempDir();
  const [dataDir, outsideDir] = [join(place.path, 'data'), join(place.path, 'outside')];
  await Promise.all([mkdir(dataDir), mkdir(outsideDir)]);
  await writeFile(join(outsideDir, 'secret'), 'secret');
  const execArgv = confinement({ codeFolders: [programDir], dataDir, addons: false, env });
  const process_ = fork(child, [dataDir, programDir, outsideDir], { execArgv });
  const [ends] = (await once(process_, 'message')) as [Record<string, string>];
  process_.kill();
  return ends;
}

describe('the worker process [S20]', () => {
  it('reaches the program, the data and its temporary folders, and nothing else: no other file, program or add-on', async () => {
    expect(await attempts({ PATH: '' })).toEqual({
      'read the program': 'done',
      'write data': 'done',
      'read data': 'done',
      'use a temporary folder': 'done',
      'read outside': 'ERR_ACCESS_DENIED',
      'read outside through the data': 'ERR_ACCESS_DENIED',
      'read outside from a thread': 'ERR_ACCESS_DENIED',
      'read the settings of the process': 'ERR_ACCESS_DENIED',
      'write outside': 'ERR_ACCESS_DENIED',
      'change the program': 'ERR_ACCESS_DENIED',
      'run a program': 'ERR_ACCESS_DENIED',
      'load an add-on': 'ERR_DLOPEN_DISABLED',
    });
  });

  it('may run programs only where OCR is installed, and is free where a native add-on runs a model', async () => {
    await using folder = await tempDir();
    await writeFile(join(folder.path, 'tesseract'), '');
    const flags = (addons: boolean): string[] =>
      confinement({ codeFolders: [programDir], dataDir: folder.path, addons, env: { PATH: `/nowhere:${folder.path}` } });

    expect(flags(false)).not.toContain('--allow-child-process');
    await chmod(join(folder.path, 'tesseract'), 0o755);
    expect(flags(false)).toContain('--allow-child-process');
    expect(flags(true)).toEqual([]);
  });

  it('may read the certificates of a database beside', () => {
    const flags = confinement({
      codeFolders: [programDir],
      dataDir: '/data',
      readable: ['/etc/ssl/ca.pem'],
      addons: false,
      env: {},
    });

    expect(flags).toContain('--allow-fs-read=/etc/ssl/ca.pem');
    expect(flags).not.toContain('--allow-fs-write=/etc/ssl/ca.pem');
  });

  it('is started so by a real server, and reads a mail with a PDF in it all the same', async () => {
    const server = await startServer({ dataDir: await makeDataDir() });
    const children = await readFile(`/proc/${server.process.pid}/task/${server.process.pid}/children`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${children.trim()}/cmdline`, 'utf8').catch(() => '--permission');
    const pdf = makePdf({ pages: [['vent the pump']] }).toString('base64');
    const parts = `--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${pdf}\r\n--b--\r\n`;
    const mail = `From: a@example.com\r\nSubject: pump\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts}`;
    const upload = await insert(server.url, 'mail', { name: 'a.eml', bytes: mail });
    const hits = await search(server.url, 'vent the pump');
    await server.stop();
    await removeDir(server.dataDir);

    expect(command).toContain('--permission');
    expect(upload.status).toBe(200);
    expect(hits[0]?.text).toContain('vent the pump');
  });
});
