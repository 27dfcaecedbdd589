/** Who may declare whom dead, when the server was away for all. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CuttableLink, openCuttableLink } from '../support/cuttable-link.ts';
import { until } from '../support/until.ts';

const leaseMs = 10_000;

/** A process that takes part, on a link of its own. */
export type Member = {
  /** Shows itself, and declares dead who does not. */
  turn(): Promise<unknown>;
  /** Whether it was told that it was declared dead itself. */
  lost(): boolean;
  /** Whether it is connected. */
  up(): Promise<boolean>;
  close(): Promise<void>;
};

/** A place for members; each test has one of its own. */
export type MembershipPlace = {
  readonly port: number;
  take(id: string, port: number, clock: { leaseMs: number; steadyMs: () => number }): Promise<Member>;
  /** The ids of those who are not declared dead, in order. */
  alive(): Promise<string[]>;
  /** Makes them look, by the server's clock, as if they had not shown themselves for so long. */
  age(ms: number): Promise<void>;
  /** Whether the server holds a connection of this member. */
  hasConnection(id: string): Promise<boolean>;
};

export function membershipContract(
  name: string,
  server: { open(): Promise<() => Promise<MembershipPlace>>; close(): PromiseLike<void> },
): void {
  describe(`processes on ${name}`, () => {
    let newPlace: () => Promise<MembershipPlace>;
    let place: MembershipPlace;
    /** The clock of all members. */
    let now: number;
    let members: (Member & { readonly link: CuttableLink })[];

    beforeAll(async () => void (newPlace = await server.open()));
    afterAll(() => server.close());
    beforeEach(async () => {
      place = await newPlace();
      now = 0;
      members = [];
    });
    afterEach(async () => {
      for (const member of members) {
        await member.close();
        await member.link[Symbol.asyncDispose]();
      }
    });

    async function take(id: string) {
      const link = await openCuttableLink(place.port);
      const member = { ...(await place.take(id, link.port, { leaseMs, steadyMs: () => now })), link };
      members.push(member);
      return member;
    }

    async function turns(ms: number, ...who: readonly Member[]): Promise<void> {
      for (const end = now + ms; now < end; now += 1000) for (const member of who) await member.turn();
    }

    it('are not declared dead by the one that is let in first, though it asked while it was kept out', async () => {
      const first = await take('first');
      const second = await take('second');
      await turns(2 * leaseMs, first, second);

      for (const { link } of [first, second]) link.cut();
      await until('both have noticed', async () => !(await first.up()) && !(await second.up()));
      now += 0.4 * leaseMs;
      await place.age(0.4 * leaseMs);
      const asked = first.turn();
      first.link.mend();
      await asked.catch(() => undefined);
      await until('the first is let in', () => first.up());
      await turns(0.8 * leaseMs, first);
      expect(await place.alive()).toEqual(['first', 'second']);

      second.link.mend();
      await until('the second is let in', () => second.up());
      await turns(2 * leaseMs, first, second);
      expect(await place.alive()).toEqual(['first', 'second']);
    });

    it('are not declared dead since the server’s clock has stepped', async () => {
      const first = await take('first');
      const second = await take('second');
      await turns(2 * leaseMs, first, second);

      await place.age(30 * leaseMs);
      await turns(2000, first);
      await turns(2000, first, second);

      expect(await place.alive()).toEqual(['first', 'second']);
    });

    it('are declared dead when they alone do not come back', async () => {
      const first = await take('first');
      const second = await take('second');
      await turns(2 * leaseMs, first, second);

      second.link.cut();
      await until('the server has noticed', async () => !(await place.hasConnection('second')));
      await turns(0.5 * leaseMs, first);

      expect(await place.alive()).toEqual(['first']);
      second.link.mend();
      await until('the second is let in', () => second.up());
      await second.turn();
      expect(second.lost()).toBe(true);
    });
  });
}
