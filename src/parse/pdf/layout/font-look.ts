/** How the letters of a font look, as far as its name and flags say. */

export type FontLook = {
  readonly bold: boolean;
  readonly italic: boolean;
  readonly mono: boolean;
  /** Its letters are pictures. */
  readonly dingbats: boolean;
};

/** Of a font that is not known. */
export const plainLook: FontLook = { bold: false, italic: false, mono: false, dingbats: false };

/**
 * Names say more than descriptors: StemV and weights are often invented.
 * @param flags of the font's descriptor (ISO 32000-1, table 123)
 */
export function lookOf(baseFont: string, flags: number): FontLook {
  const name = baseFont.replace(/^[A-Z]{6}\+/, '');
  return {
    bold: /bold|black|heavy|semib|demi|medi$|cmb|cmssbx|sfbx|sfsx|-bd|ptmb|phvb/i.test(name) || (flags & 0x40000) !== 0,
    italic: /ital|obli|cmti|sfti/i.test(name) || (flags & 0x40) !== 0,
    dingbats: /dingbat|wingd|webding|monotypesorts/i.test(name),
    mono: /mono|cour|consol|menlo|typewriter|cmtt|sftt|lettergothic|inconsolata/i.test(name),
  };
}
