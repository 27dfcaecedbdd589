/** The file engine for the contract suites: engines of one process, each with the identity of a child process that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Engine } from '../../src/storage/engine.ts';
import { type FileEngineOptions, openFileEngine } from '../../src/storage/file/engine.ts';
import { identifyProcess } from '../../src/storage/file/ownership/process-identity.ts';
import type { EngineHarness } from '../contract/engine-harness.ts';
import { openArbiterIndex } from './arbiter-index.ts';
import { newId, silentLogger } from './engine-steps.ts';
import { tempDir } from './temp-dir.ts';

export type FileEngineHarness = Omit<EngineHarness, 'open'> & {
  readonly dataDir: string;
  open(role: 'frontend' | 'worker', overrides?: Partial<FileEngineOptions>): Promise<Engine>;
};

/** Settings with which tests open the engine. A lease of 3 s: every test that waits for one to end waits that long. */
export function fileEngineOptions(dataDir: string, role: 'frontend' | 'worker'): FileEngineOptions {
  return {
    dataDir,
    role,
    openIndex: openArbiterIndex,
    now: () => new Date().toISOString(),
    newId,
    logger: silentLogger,
    diskReserveBytes: 0,
    taskRetentionMs: 86_400_000,
    leaseMs: 3000,
  };
}

export async function createFileEngineHarness(): Promise<FileEngineHarness> {
  const dir = await tempDir();
  const bodies = new Map<Engine, ChildProcess>();

  async function crash(engine: Engine): Promise<void> {
    const body = bodies.get(engine);
    if (body === undefined || body.exitCode !== null || body.signalCode !== null) return;
    const ended = once(body, 'exit');
    body.kill('SIGKILL');
    await ended;
  }

  return {
    dataDir: dir.path,
    async open(role, overrides = {}) {
      const body = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
      await once(body, 'spawn');
      const engine = await openFileEngine({
        ...fileEngineOptions(dir.path, role),
        identity: identifyProcess(body.pid ?? 0),
        ...overrides,
      });
      bodies.set(engine, body);
      return engine;
    },
    crash,
    async [Symbol.asyncDispose]() {
      for (const engine of bodies.keys()) await engine.close();
      for (const engine of bodies.keys()) await crash(engine);
      await dir[Symbol.asyncDispose]();
    },
  };
}
