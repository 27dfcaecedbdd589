/** Lists of which only the first are read, and that are said to be longer. */

/** The first of a list; that there are more is said once in `warnings`, by the plural of what they are. */
export function firstOf<Each>(
  all: readonly Each[],
  { most, what, warnings }: { readonly most: number; readonly what: string; readonly warnings: string[] },
): readonly Each[] {
  if (all.length <= most) return all;
  const sentence = `The file has more than ${most} ${what}; those behind were not read`;
  if (!warnings.includes(sentence)) warnings.push(sentence);
  return all.slice(0, most);
}
