/** A bound on what is held at once (things open, bytes in memory), for each client first, then for all of them. */

export interface Slots {
  /** Takes `amount` (default: 1) and gives the way to give it back (safe twice); null when the client, or everybody together, holds too much. */
  take(client: string, amount?: number): (() => void) | null;
  /** How much is taken. */
  readonly size: number;
}

export function createSlots({ perClientMax, max }: { perClientMax: number; max: number }): Slots {
  const held = new Map<string, number>();
  let size = 0;

  return {
    take,
    get size() {
      return size;
    },
  };

  function take(client: string, amount = 1): (() => void) | null {
    const own = held.get(client) ?? 0;
    if (size + amount > max || own + amount > perClientMax) return null;
    size += amount;
    held.set(client, own + amount);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      size -= amount;
      const left = held.get(client)! - amount;
      if (left === 0) held.delete(client);
      else held.set(client, left);
    };
  }
}
