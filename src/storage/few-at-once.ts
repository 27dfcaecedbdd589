/** Many steps on a disk, or requests to a store, a few of them at once. */

/** Steps that one thread does, as many as one message to it should bring. */
export const manyAtOnce = 64;

/** Steps that flush: the disk takes many as one. */
export const flushesAtOnce = 16;

/** Does `work` for each of `items`, in their order. After an error no more is begun; rejects with it when all that was begun is over. */
export async function fewAtOnce<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && errors.length === 0; next = rest.next())
      await work(next.value).catch((error: unknown) => void errors.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (errors.length > 0) throw errors[0];
}
