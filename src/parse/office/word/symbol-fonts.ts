/** Characters of fonts that show something else than their codes say. */

/** What a symbol of a font stands for; '' where it is an ornament. `code` may have the private area's F000 added. */
export function symbolCharacter(font: string, symbol: number): string {
  const code = symbol & 0xff;
  if (/^wingdings$/i.test(font)) {
    if (code === 0xfe || code === 0x78 || code === 0xfd) return '☒';
    if (code === 0xa8 || code === 0x6f || code === 0x71) return '☐';
    if (code === 0xfc) return '✓';
    if (code === 0xe0) return '→';
    return '';
  }
  return /^symbol$/i.test(font) ? (symbolFont[code] ?? '') : '';
}

/** Adobe's Symbol encoding, where it names letters and operators. */
const symbolFont: Readonly<Record<number, string>> = Object.fromEntries(
  Array.from('αβχδεφγηιϕκλμνοπθρστυϖωξψζ', (letter, at): [number, string] => [0x61 + at, letter]).concat(
    Array.from('ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ', (letter, at): [number, string] => [0x41 + at, letter]),
    [
      [0xb1, '±'],
      [0xa3, '≤'],
      [0xb3, '≥'],
      [0xb9, '≠'],
      [0xb4, '×'],
      [0xb8, '÷'],
      [0xb0, '°'],
      [0xa5, '∞'],
      [0xae, '→'],
      [0xac, '←'],
      [0xb7, '•'],
      [0x2d, '−'],
    ],
  ),
);
