/** What the contract suites need of an engine under test. */
import type { Engine } from '../../src/storage/engine.ts';

/** The wall clock of the host that an engine runs on, and how long it may stand still before it is declared dead. */
export type EngineHost = { readonly now: () => string; readonly leaseMs?: number };

/** One store of data, and as many engines on it as a test opens: each behaves as a process of its own. */
export type EngineHarness = AsyncDisposable & {
  open(role: 'frontend' | 'worker', host?: EngineHost): Promise<Engine>;
  /** The process of this engine dies without a word; the object may go on like a zombie and must do no harm. */
  crash(engine: Engine): Promise<void>;
};

export type CreateHarness = () => Promise<EngineHarness>;
