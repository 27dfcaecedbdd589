/** When one process may take another for dead. */
import { describe, expect, it } from 'vitest';
import { createFailureDetector, type FailureDetector } from '../../src/storage/failure-detector.ts';

const leaseMs = 10_000;

/** A process that shows itself and looks at the others, by a clock that the test moves. */
class Watcher {
  now = 0;
  open = true;
  /** What the others have left. */
  readonly signs = new Map<string, string>([['other', 'first']]);
  connected: string[] = ['other'];
  /** How much the server's clock has stepped. */
  serverStepMs = 0;
  readonly detector: FailureDetector = createFailureDetector({
    leaseMs,
    letsIn: () => Promise.resolve(this.open),
    steadyMs: () => this.now,
  });

  /** One look a second for so long; who was found dead at the last. */
  async watch(ms: number, each: () => void = () => {}): Promise<string[]> {
    const end = this.now + ms;
    let dead: string[] = [];
    for (; this.now < end; this.now += 1000) {
      each();
      dead = await this.look();
    }
    return dead;
  }

  async look(): Promise<string[]> {
    this.detector.shown();
    const others = [...this.signs].map(([owner, sign]) => ({ owner, sign, ageMs: this.serverStepMs }));
    return (await this.detector.dead(others, () => Promise.resolve(this.connected))).map(({ owner }) => owner);
  }

  /** The other shows itself each time. */
  otherLives(): void {
    this.signs.set('other', `at ${this.now}`);
  }
}

describe('a process that watches others', () => {
  it('takes nobody for dead who shows itself', async () => {
    const watcher = new Watcher();

    expect(await watcher.watch(10 * leaseMs, () => watcher.otherLives())).toEqual([]);
  });

  it('takes for dead who has a connection and shows nothing for a whole lease, not before', async () => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());

    expect(await watcher.watch(leaseMs - 1000)).toEqual([]);
    expect(await watcher.watch(1000)).toEqual(['other']);
  });

  it('takes for dead after a quarter of a lease who has no connection any more', async () => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());
    watcher.connected = [];

    expect(await watcher.watch(leaseMs / 5)).toEqual([]);
    expect(await watcher.watch(1000)).toEqual(['other']);
  });

  it('judges nobody before it has watched for a whole lease itself', async () => {
    const watcher = new Watcher();
    watcher.connected = [];

    expect(await watcher.watch(leaseMs)).toEqual([]);
    expect(await watcher.watch(1000)).toEqual(['other']);
  });

  it.each([
    ['its connection was lost for a moment', (watcher: Watcher) => watcher.detector.cutOff()],
    [
      'what it asked was refused',
      (watcher: Watcher) => watcher.detector.watch(() => Promise.reject(new Error('no'))).catch(() => {}),
    ],
    ['it slept', (watcher: Watcher) => void (watcher.now += 6000)],
  ])('watches for a whole lease anew when %s', async (_, trouble) => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());
    watcher.connected = [];
    await Promise.resolve(trouble(watcher));

    expect(await watcher.watch(leaseMs)).toEqual([]);
    expect(await watcher.watch(1000)).toEqual(['other']);
  });

  it('takes nobody for dead who comes back within a lease after it did itself', async () => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());
    watcher.connected = [];
    watcher.now += 3 * leaseMs;

    expect(await watcher.watch(leaseMs)).toEqual([]);
    expect(await watcher.watch(5 * leaseMs, () => watcher.otherLives())).toEqual([]);
  });

  it('takes nobody for dead whom the server does not let in, nor for a lease after it does', async () => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());
    watcher.connected = [];
    watcher.open = false;
    expect(await watcher.watch(5 * leaseMs)).toEqual([]);

    watcher.open = true;
    expect(await watcher.watch(leaseMs - 1000)).toEqual([]);
    expect(await watcher.watch(1000)).toEqual(['other']);
  });

  it('takes nobody for dead whose connection is lost while it asks whether the server lets others in', async () => {
    let asked = 0;
    const detector = createFailureDetector({
      leaseMs,
      letsIn: () => {
        asked += 1;
        detector.cutOff();
        return Promise.resolve(true);
      },
      steadyMs: () => now,
    });
    let now = 0;
    for (; now <= 2 * leaseMs; now += 1000) {
      detector.shown();
      expect(await detector.dead([{ owner: 'other', sign: 'same', ageMs: 0 }], () => Promise.resolve([]))).toEqual([]);
    }
    expect(asked).toBeGreaterThan(0);
  });

  it('lets the server’s clock step as it likes', async () => {
    const watcher = new Watcher();
    await watcher.watch(2 * leaseMs, () => watcher.otherLives());
    for (const stepMs of [86_400_000, -86_400_000]) {
      watcher.serverStepMs = stepMs;
      expect(await watcher.watch(leaseMs / 5)).toEqual([]);
      await watcher.watch(leaseMs, () => watcher.otherLives());
    }
  });
});
