/** Engines on a server for the contract suites: each behind a link of its own, which is cut where its process would die. */
import type { Engine } from '../../src/storage/engine.ts';
import type { EngineHarness, EngineHost } from '../contract/engine-harness.ts';
import { type CuttableLink, openCuttableLink } from './cuttable-link.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export type LinkedHarness = EngineHarness & {
  /** The way of an engine to its server. */
  linkOf(engine: Engine): CuttableLink;
};

export async function createLinkedHarness(options: {
  serverPort: number;
  /** Opens an engine whose server is at this port. */
  openEngine: (role: 'frontend' | 'worker', port: number, dir: string, clock?: EngineHost) => Promise<Engine>;
  /** How many processes are taken to be alive. */
  owners: () => Promise<number>;
}): Promise<LinkedHarness> {
  const dir = await tempDir();
  const links = new Map<Engine, CuttableLink>();

  return {
    linkOf: (engine) => links.get(engine)!,
    async open(role, clock) {
      const link = await openCuttableLink(options.serverPort);
      const engine = await options.openEngine(role, link.port, dir.path, clock);
      links.set(engine, link);
      return engine;
    },
    /** Returns when the others have noticed; then the link is whole again, and the engine may try what it likes. */
    async crash(engine) {
      const before = await options.owners();
      links.get(engine)!.cut();
      await until('the others notice', async () => (await options.owners()) < before);
      links.get(engine)!.mend();
    },
    async [Symbol.asyncDispose]() {
      for (const [engine, link] of links) {
        await engine.close();
        await link[Symbol.asyncDispose]();
      }
      await dir[Symbol.asyncDispose]();
    },
  };
}
