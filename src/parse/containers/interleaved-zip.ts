/** Parts of an OPC package that are written in pieces (`part/[0].piece` … `part/[n].last.piece`), each as the one part that it is (ECMA-376 part 2). */
import type { Zip } from './zip.ts';

const piece = /^(.+)\/\[(\d{1,9})\](?:\.last)?\.piece$/i;

/** The name of the part that a member of an archive is, or is a piece of. */
export function partOfPiece(name: string): string {
  return piece.exec(name)?.[1] ?? name;
}

/** The archive with its pieces put together in their order. Whole parts stay as they are. */
export function withWholeParts(zip: Zip): Zip {
  const pieces = new Map<string, { readonly name: string; readonly order: number }[]>();
  const spellings = new Map<string, string>();
  const names: string[] = [];
  for (const name of zip.names) {
    const [, part, order] = piece.exec(name) ?? [];
    if (part === undefined) {
      names.push(name);
      continue;
    }
    const key = part.toLowerCase();
    if (!spellings.has(key)) {
      spellings.set(key, part);
      pieces.set(part, []);
      names.push(part);
    }
    pieces.get(spellings.get(key)!)!.push({ name, order: Number(order) });
  }
  if (pieces.size === 0) return zip;
  for (const some of pieces.values()) some.sort((one, other) => one.order - other.order);
  const find = (name: string): string | null => zip.find(name) ?? spellings.get(name.toLowerCase()) ?? null;

  async function* chunks(name: string): AsyncGenerator<Buffer> {
    for (const { name: member } of pieces.get(name) ?? [{ name }]) yield* zip.chunks(member);
  }

  return {
    names,
    warnings: zip.warnings,
    find,
    chunks,
    async read(name, bytesMax) {
      const some = pieces.get(name);
      if (some === undefined) return zip.read(name, bytesMax);
      const parts: Buffer[] = [];
      let left = bytesMax;
      for (const { name: member } of some) {
        const bytes = (await zip.read(member, left)) ?? Buffer.alloc(0);
        if (left !== undefined) left = Math.max(0, left - bytes.length);
        parts.push(bytes);
      }
      return Buffer.concat(parts);
    },
    close: () => zip.close(),
  };
}
