/** Which characters are written in one of the two Chinese scripts only, by what the character sets of both countries of old have. */

let known: ReadonlySet<string> | undefined;

/** Of GB 2312 and not of Big5, or the other way round: 们 and 們, but not 人. */
export function isOfOneScript(character: string): boolean {
  known ??= charactersOfOneScript();
  return known.has(character);
}

function charactersOfOneScript(): ReadonlySet<string> {
  const simplified = charactersOf('gbk', [0xb0, 0xf7], [[0xa1, 0xfe]]);
  const traditional = charactersOf(
    'big5',
    [0xa4, 0xf9],
    [
      [0x40, 0x7e],
      [0xa1, 0xfe],
    ],
  );
  const ofOne = (one: Set<string>, other: Set<string>): string[] => [...one].filter((character) => !other.has(character));
  return new Set([...ofOne(simplified, traditional), ...ofOne(traditional, simplified)]);
}

type Range = readonly [first: number, last: number];

function charactersOf(encoding: string, [first, last]: Range, seconds: readonly Range[]): Set<string> {
  const decoder = new TextDecoder(encoding);
  const characters = new Set<string>();
  for (let lead = first; lead <= last; lead++)
    for (const [from, to] of seconds)
      for (let trail = from; trail <= to; trail++) {
        const character = decoder.decode(Uint8Array.of(lead, trail));
        if (/^\p{Script=Han}$/u.test(character)) characters.add(character);
      }
  return characters;
}
