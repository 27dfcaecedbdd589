/**
 * What a sweep may remove: what nothing needed now, nor at the sweep before. A file whose task is just being made is not needed yet,
 * and how old it is no clock of another host can tell.
 */
export interface Unneeded {
  /** Begins a sweep; `isUnneeded` is to be asked once of each thing, with whether it is needed now. */
  look(): (name: string, isNeeded: boolean) => boolean;
}

/** Memory: one name for each thing that was not needed at the last sweep. */
export function createUnneeded(): Unneeded {
  let last: ReadonlySet<string> = new Set();
  return {
    look() {
      const before = last;
      const now = new Set<string>();
      last = now;
      return (name, isNeeded) => {
        if (!isNeeded) now.add(name);
        return !isNeeded && before.has(name);
      };
    },
  };
}
