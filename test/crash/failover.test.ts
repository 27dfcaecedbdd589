/** A failover of PostgreSQL in miniature; `npm run torture -- --only failover` has hosts of their own, and many. */
import { expect, it } from 'vitest';
import { runFailover } from './failover.ts';

it('nothing acknowledged is lost or done twice when a standby is promoted under load, and an old primary that comes back is asked nothing', async () => {
  const seed = Date.now() % 1_000_000;
  expect(await runFailover({ rounds: 1, seed, networks: false, judged: false }), `seed ${seed}`).toBe(true);
});
