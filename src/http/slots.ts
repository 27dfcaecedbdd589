/** A bound on things held open at once, for each client and for all of them. */

export interface Slots {
  /** A slot and the way to give it back (safe twice); null when the client, or everybody together, holds too many. */
  take(client: string): (() => void) | null;
  /** How many are taken. */
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

  function take(client: string): (() => void) | null {
    const own = held.get(client) ?? 0;
    if (size >= max || own >= perClientMax) return null;
    size += 1;
    held.set(client, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      size -= 1;
      const left = held.get(client)! - 1;
      if (left === 0) held.delete(client);
      else held.set(client, left);
    };
  }
}
