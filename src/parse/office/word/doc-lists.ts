/** The lists of a DOC file (MS-DOC 2.4.6.3): what stands before their items, counted as in DOCX. */
import { createWordNumbering, type NumberingLevel, type NumberingList, type WordNumbering } from './word-numbering.ts';
import { tableIndex, type DocHeader } from './doc-header.ts';

const listBytes = 28;
const levelBytes = 28;
const overrideBytes = 16;
const levelsMax = 9;
/** Word takes no longer text for a level. */
const levelTextMax = 255;
const noStyle = 0x0fff;

type ListDefinition = { readonly id: number; readonly levels: (NumberingLevel | undefined)[] };

/** The lists by the number under which paragraphs name them (from 1). */
export function readDocLists(header: DocHeader): WordNumbering {
  const definitions = readDefinitions(header);
  return createWordNumbering(readOverrides(header, definitions));
}

function readDefinitions(header: DocHeader): ReadonlyMap<number, ListDefinition> {
  const table = header.table(tableIndex.lists);
  const definitions = new Map<number, ListDefinition>();
  if (header.version !== 8 || table.length < 2) return definitions;
  const onwards = header.tableOnwards(tableIndex.lists);
  const count = Math.min(table.readUInt16LE(0), Math.floor((onwards.length - 2) / listBytes));
  let at = 2 + count * listBytes;
  for (let index = 0; index < count; index++) {
    const list = onwards.subarray(2 + index * listBytes, 2 + (index + 1) * listBytes);
    const definition: ListDefinition = { id: list.readUInt32LE(0), levels: [] };
    const levels = (list[26]! & 1) === 1 ? 1 : levelsMax;
    for (let level = 0; level < levels; level++) {
      const read = readLevel(onwards, at);
      if (read === null) return definitions;
      at = read.end;
      const style = list.readUInt16LE(8 + level * 2);
      definition.levels.push({ ...read.level, styleId: (style & noStyle) === noStyle ? null : String(style) });
    }
    definitions.set(definition.id, definition);
  }
  return definitions;
}

/** MS-DOC 2.9.150 (LVL). Null where the file ends. */
function readLevel(bytes: Buffer, at: number): { level: NumberingLevel; end: number } | null {
  if (at + levelBytes + 2 > bytes.length) return null;
  const flags = bytes[at + 5]!;
  const textAt = at + levelBytes + bytes[at + 24]! + bytes[at + 25]!;
  if (textAt + 2 > bytes.length) return null;
  const length = bytes.readUInt16LE(textAt);
  const end = textAt + 2 + length * 2;
  const text = bytes.toString('utf16le', textAt + 2, Math.min(end, textAt + 2 + levelTextMax * 2));
  const isRestartGiven = (flags & 0x08) !== 0;
  return {
    end,
    level: {
      format: formats[bytes[at + 4]!] ?? 'decimal',
      text: text.replace(/[^]/g, (character) => placeholder(character)),
      start: bytes.readUInt32LE(at),
      isLegal: (flags & 0x04) !== 0,
      restart: isRestartGiven ? bytes[at + 26]! : null,
      styleId: null,
    },
  };
}

/** Characters 0 to 8 are the numbers of the levels; a percent sign shall not look like one. */
function placeholder(character: string): string {
  const code = character.charCodeAt(0);
  if (code < levelsMax) return `%${code + 1}`;
  return character === '%' ? '％' : character;
}

function readOverrides(header: DocHeader, definitions: ReadonlyMap<number, ListDefinition>): ReadonlyMap<string, NumberingList> {
  const lists = new Map<string, NumberingList>();
  const table = header.table(tableIndex.listOverrides);
  if (table.length < 4) return lists;
  const count = Math.min(table.readUInt32LE(0), Math.floor((table.length - 4) / overrideBytes));
  let at = 4 + count * overrideBytes;
  for (let index = 0; index < count; index++) {
    const place = 4 + index * overrideBytes;
    const id = table.readUInt32LE(place);
    const levels = [...(definitions.get(id)?.levels ?? [])];
    const restarts = new Map<number, number>();
    // A mark of four bytes stands before the levels that are said otherwise.
    at += 4;
    for (let level = 0; level < table[place + 12]! && at + 8 <= table.length; level++) {
      const flags = table.readUInt32LE(at + 4);
      if ((flags & 0x10) !== 0) restarts.set(flags & 0x0f, table.readUInt32LE(at));
      at += 8;
      const read = (flags & 0x20) === 0 ? null : readLevel(table, at);
      if (read === null) continue;
      at = read.end;
      if ((flags & 0x0f) < levelsMax) levels[flags & 0x0f] = read.level;
    }
    lists.set(String(index + 1), { abstractId: String(id), levels, restarts });
  }
  return lists;
}

/** MS-OSHARED 2.2.1.3 (MSONFC), by the names of ECMA-376. */
const formats: Readonly<Record<number, string>> = {
  0: 'decimal',
  1: 'upperRoman',
  2: 'lowerRoman',
  3: 'upperLetter',
  4: 'lowerLetter',
  5: 'ordinal',
  10: 'ideographDigital',
  11: 'japaneseCounting',
  12: 'aiueo',
  13: 'iroha',
  14: 'decimalFullWidth',
  16: 'japaneseLegal',
  17: 'japaneseDigitalTenThousand',
  18: 'decimalEnclosedCircle',
  19: 'decimalFullWidth',
  20: 'aiueo',
  21: 'iroha',
  22: 'decimalZero',
  23: 'bullet',
  24: 'ganada',
  25: 'chosung',
  28: 'decimalEnclosedCircleChinese',
  30: 'ideographTraditional',
  31: 'ideographZodiac',
  33: 'taiwaneseCounting',
  34: 'ideographLegalTraditional',
  35: 'taiwaneseCountingThousand',
  36: 'taiwaneseDigital',
  37: 'chineseCounting',
  38: 'chineseLegalSimplified',
  39: 'chineseCountingThousand',
  41: 'koreanDigital',
  42: 'koreanCounting',
  58: 'russianLower',
  59: 'russianUpper',
  255: 'none',
};
