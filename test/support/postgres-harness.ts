/** The PostgreSQL engine for the contract suites: each engine behind a link of its own, which is cut where its process would die. */
import type { Engine } from '../../src/engines/engine.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openPostgresEngine, type PostgresEngineOptions } from '../../src/engines/postgres/postgres-engine.ts';
import type { EngineHarness } from '../contract/engine-harness.ts';
import { type CuttableLink, openCuttableLink } from './cuttable-link.ts';
import { newId, silentLogger } from './engine-steps.ts';
import { ask, type PostgresServer } from './postgres.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

/** Settings with which tests open the engine; a lease of 2 s is the shortest there is. */
export function postgresEngineOptions(url: string, role: 'frontend' | 'worker', workDir: string): PostgresEngineOptions {
  return {
    url,
    role,
    workDir,
    embedder: createBuiltinEmbedder(),
    connectionsMax: 6,
    taskRetentionMs: 86_400_000,
    leaseMs: 2000,
    now: () => new Date().toISOString(),
    newId,
    logger: silentLogger,
  };
}

export async function createPostgresHarness(server: PostgresServer): Promise<EngineHarness> {
  const dir = await tempDir();
  const url = await server.newDatabase();
  const links = new Map<Engine, CuttableLink>();

  async function owners(): Promise<number> {
    return (await ask(url, 'SELECT id FROM rag_intake.owner')).length;
  }

  return {
    async open(role) {
      const link = await openCuttableLink(server.port);
      const through = new URL(url);
      through.port = String(link.port);
      const engine = await openPostgresEngine(postgresEngineOptions(through.href, role, dir.path));
      links.set(engine, link);
      return engine;
    },
    /** Returns when the others have noticed; then the link is whole again, and the engine may try what it likes. */
    async crash(engine) {
      const before = await owners();
      links.get(engine)!.cut();
      await until('the others notice', async () => (await owners()) < before);
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
