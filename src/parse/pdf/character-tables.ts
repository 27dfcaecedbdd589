/** What the parser knows of Adobe's character collections: which text a glyph number (CID) of a Chinese, Japanese or Korean font stands for. */

/** Names of Adobe's registry, without `Adobe-`. */
export const collections = ['GB1', 'CNS1', 'Japan1', 'Korea1'] as const;
export type Collection = (typeof collections)[number];

/** By CID: a character, or the letters of a ligature; '' where there is none. */
export type CharacterTable = readonly string[];

/** Each is loaded once. */
export type CharacterTables = {
  /** Undefined until it is loaded. */
  get(collection: Collection): CharacterTable | undefined;
  load(collection: Collection): Promise<void>;
};
