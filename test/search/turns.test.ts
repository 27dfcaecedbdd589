import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTurns, type Turns } from '../../src/search/turns.ts';

const here = new AbortController().signal;

/** Pieces of work that run until they are told to end, noted in the order in which they begin. */
function workshop(turns: Turns) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (client: string, name: string, gone: AbortSignal = here): Promise<string> =>
    turns.run({ client, gone }, () => {
      begun.push(name);
      return new Promise<string>((resolve) => void ends.set(name, () => resolve(name)));
    });
  return { begun, ask, end: (name: string) => ends.get(name)!() };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it('runs so many at once, and gives the clients their turns one after the other', async () => {
  const { begun, ask, end } = workshop(createTurns({ atOnce: 2, waitingMax: 100, waitingPerClientMax: 50 }));
  const many = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => ask('a', name));
  const others = [ask('b', 'b1'), ask('c', 'c1'), ask('b', 'b2')];
  await settled();
  expect(begun).toEqual(['a1', 'a2']);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2', 'a5']) {
    end(name);
    await settled();
  }
  expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2', 'a5']);
  await Promise.all([...many, ...others]);
});

it('says that it is full, and when to come again, to a client that has its share waiting, and to all when all have [S54]', async () => {
  const { ask, end } = workshop(createTurns({ atOnce: 1, waitingMax: 3, waitingPerClientMax: 2 }));
  const waiting = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3')];
  await expect(ask('a', 'a4')).rejects.toMatchObject({ code: 'queue_full', retryAfterSeconds: 2 });
  waiting.push(ask('b', 'b1'));
  await expect(ask('c', 'c1')).rejects.toMatchObject({ code: 'queue_full' });
  for (const name of ['a1', 'a2', 'b1', 'a3']) {
    end(name);
    await settled();
  }
  expect(await Promise.all(waiting)).toEqual(['a1', 'a2', 'a3', 'b1']);
});

it('lets go of who has gone: their work never begins, and their place is free at once', async () => {
  const { begun, ask, end } = workshop(createTurns({ atOnce: 1, waitingMax: 2, waitingPerClientMax: 2 }));
  const running = ask('a', 'a1');
  const leaver = new AbortController();
  const left = ask('a', 'a2', leaver.signal);
  const stays = ask('a', 'a3');
  leaver.abort();
  await expect(left).rejects.toMatchObject({ code: 'unavailable' });
  await expect(ask('b', 'b1', AbortSignal.abort())).rejects.toMatchObject({ code: 'unavailable' });
  const last = ask('b', 'b2');
  end('a1');
  await settled();
  end('a3');
  await settled();
  end('b2');
  expect(await Promise.all([running, stays, last])).toEqual(['a1', 'a3', 'b2']);
  expect(begun).toEqual(['a1', 'a3', 'b2']);
});

it('where there is no room, makes it by those whose clients have ended their side', async () => {
  const turns = createTurns({ atOnce: 1, waitingMax: 3, waitingPerClientMax: 2 });
  const { begun, ask, end } = workshop(turns);
  const leaving = (client: string): Promise<unknown> =>
    turns.run({ client, gone: here, isLeaving: () => true }, () => Promise.resolve()).catch(({ code }: { code: string }) => code);
  const running = ask('a', 'a1');
  const left = [leaving('a'), leaving('a'), leaving('b')];
  const stay = [ask('a', 'a2'), ask('a', 'a3'), ask('c', 'c1')];
  await expect(ask('a', 'a4')).rejects.toMatchObject({ code: 'queue_full' });
  expect(await Promise.all(left)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  for (const name of ['a1', 'a2', 'c1', 'a3']) {
    end(name);
    await settled();
  }
  expect(await Promise.all([running, ...stay])).toEqual(['a1', 'a2', 'a3', 'c1']);
  expect(begun).toEqual(['a1', 'a2', 'c1', 'a3']);
});

it('loses nobody and runs nobody twice, whoever leaves, fails and ends when', async () => {
  const anyClient = fc.record({ client: fc.integer({ min: 0, max: 3 }), leaves: fc.boolean(), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(anyClient, { maxLength: 30 }), async (scheduler, asked) => {
      const turns = createTurns({ atOnce: 2, waitingMax: 12, waitingPerClientMax: 5 });
      const begun = new Set<number>();
      let running = 0;
      const outcomes = asked.map(async ({ client, leaves, fails }, i) => {
        await scheduler.schedule(Promise.resolve(), `ask ${i}`);
        const gone = new AbortController();
        if (leaves) void scheduler.schedule(Promise.resolve(), `leave ${i}`).then(() => gone.abort());
        return turns
          .run({ client: String(client), gone: gone.signal }, async () => {
            expect(begun.has(i)).toBe(false);
            begun.add(i);
            running += 1;
            expect(running).toBeLessThanOrEqual(2);
            await scheduler.schedule(Promise.resolve(), `end ${i}`);
            running -= 1;
            if (fails) throw new Error('failed');
            return 'done';
          })
          .catch((error: Error) => ('code' in error ? error.code : error.message));
      });
      await scheduler.waitFor(Promise.all(outcomes));
      for (const [i, outcome] of (await Promise.all(outcomes)).entries()) {
        if (begun.has(i)) expect(outcome).toBe(asked[i]!.fails ? 'failed' : 'done');
        else expect(outcome).toBe(asked[i]!.leaves && outcome !== 'queue_full' ? 'unavailable' : 'queue_full');
      }
      expect(await turns.run({ client: 'last', gone: here }, () => Promise.resolve('free again'))).toBe('free again');
    }),
  );
});
