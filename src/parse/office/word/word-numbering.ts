/** Counts Word's automatic numbers as the reader sees them: multilevel, restarted, continued (ECMA-376 part 1, 17.9). */
import { child, elements, type XmlNode } from '../../containers/xml.ts';
import { formatNumber } from './number-label.ts';
import { numberOr } from './word-styles.ts';

export interface WordNumbering {
  /** Whether the level is a bullet, a number, or shows nothing; null when there is no such list. */
  kind(numId: string, level: number): 'bullet' | 'number' | 'none' | null;
  /** Counts one more paragraph at that level: its label (`1.2.`, `第三条`), null for a bullet or when nothing is shown. */
  next(numId: string, level: number): string | null;
  /** The level of the list that belongs to this style; null when none does. */
  levelOfStyle(numId: string, styleId: string): number | null;
}

/** What one level of a list shows. `text` has `%1` … `%9` where the numbers of the levels stand. */
export type NumberingLevel = {
  readonly format: string;
  readonly text: string;
  readonly start: number;
  readonly isLegal: boolean;
  /** The level above which restarts this one; 0 never does. */ readonly restart: number | null;
  readonly styleId: string | null;
};
/** A list as paragraphs name it; lists of the same `abstractId` go on counting. */
export type NumberingList = {
  readonly abstractId: string;
  readonly levels: readonly (NumberingLevel | undefined)[];
  /** By level: where this list begins to count anew. */ readonly restarts: ReadonlyMap<number, number>;
};

/** What several lists may share, read once. */
type AbstractList = {
  readonly id: string | undefined;
  readonly levels: readonly (NumberingLevel | undefined)[];
  readonly styleLink: string | undefined;
  readonly numStyleLink: string | undefined;
};

const levelsMax = 9;
/** Word takes no longer text for a level; each paragraph of it shows it again. */
const levelTextMax = 255;

/** Reads `word/numbering.xml`; null gives a document without lists. */
export function readWordNumbering(root: XmlNode | null): WordNumbering {
  const abstracts = new Map(
    elements(root, 'w:abstractNum').map((node) => [node.attributes['w:abstractNumId'] ?? '', readAbstract(node)]),
  );
  const styled = new Map<string, AbstractList>();
  for (const abstract of abstracts.values()) if (abstract.styleLink !== undefined) styled.set(abstract.styleLink, abstract);
  const lists = new Map<string, NumberingList>();
  for (const node of elements(root, 'w:num')) lists.set(node.attributes['w:numId'] ?? '', readList(node, abstracts, styled));
  return createWordNumbering(lists);
}

/** Counts for these lists, by the numbers under which paragraphs name them. */
export function createWordNumbering(lists: ReadonlyMap<string, NumberingList>): WordNumbering {
  /** By abstract list, so that lists which share one go on counting. Undefined: not begun. */
  const counters = new Map<string, (number | undefined)[]>();
  const restarted = new Set<string>();

  function count(numId: string, list: NumberingList, level: number): number[] {
    const state = counters.get(list.abstractId) ?? [];
    counters.set(list.abstractId, state);
    const restart = list.restarts.get(level);
    if (restart !== undefined && !restarted.has(`${numId}/${level}`)) {
      restarted.add(`${numId}/${level}`);
      state[level] = restart - 1;
    }
    state[level] = (state[level] ?? (list.levels[level]?.start ?? 1) - 1) + 1;
    for (let below = level + 1; below < levelsMax; below++) {
      const restartedBy = list.levels[below]?.restart ?? below;
      if (restartedBy !== 0 && level < restartedBy) state[below] = undefined;
    }
    return Array.from({ length: level + 1 }, (_, at) => (state[at] ??= list.levels[at]?.start ?? 1));
  }

  return {
    kind(numId, level) {
      const format = lists.get(numId)?.levels[level]?.format;
      if (format === undefined) return null;
      return format === 'bullet' || format === 'none' ? format : 'number';
    },
    next(numId, level) {
      const list = lists.get(numId);
      const own = list?.levels[level];
      if (list === undefined || own === undefined) return null;
      const numbers = count(numId, list, level);
      if (own.format === 'bullet') return null;
      const label = own.text.replace(/%([1-9])/g, (_, digit: string) => {
        const at = Number(digit) - 1;
        const format = list.levels[at]?.format ?? 'decimal';
        return numbers[at] === undefined ? '' : formatNumber(numbers[at], own.isLegal ? 'decimal' : format);
      });
      return label.trim() === '' ? null : label.trim().slice(0, 100);
    },
    levelOfStyle(numId, styleId) {
      const at = lists.get(numId)?.levels.findIndex((level) => level?.styleId === styleId) ?? -1;
      return at === -1 ? null : at;
    },
  };
}

function readAbstract(node: XmlNode): AbstractList {
  const levels: (NumberingLevel | undefined)[] = [];
  for (const level of elements(node, 'w:lvl')) setLevel(levels, level);
  return {
    id: node.attributes['w:abstractNumId'],
    levels,
    styleLink: child(node, 'w:styleLink')?.attributes['w:val'],
    numStyleLink: child(node, 'w:numStyleLink')?.attributes['w:val'],
  };
}

function readList(
  num: XmlNode,
  abstracts: ReadonlyMap<string, AbstractList>,
  styled: ReadonlyMap<string, AbstractList>,
): NumberingList {
  const abstractId = child(num, 'w:abstractNumId')?.attributes['w:val'] ?? '';
  const named = abstracts.get(abstractId);
  const link = named?.numStyleLink;
  const abstract = (link === undefined ? undefined : styled.get(link)) ?? named;
  const levels = [...(abstract?.levels ?? [])];
  const restarts = new Map<number, number>();
  for (const override of elements(num, 'w:lvlOverride')) {
    const level = numberOr(override.attributes['w:ilvl']) ?? 0;
    const start = numberOr(child(override, 'w:startOverride')?.attributes['w:val']);
    if (start !== null) restarts.set(level, start);
    const node = child(override, 'w:lvl');
    if (node !== undefined) setLevel(levels, node);
  }
  return { abstractId: abstract?.id ?? abstractId, levels, restarts };
}

function setLevel(levels: (NumberingLevel | undefined)[], node: XmlNode): void {
  const at = numberOr(node.attributes['w:ilvl']) ?? 0;
  if (at < 0 || at >= levelsMax) return;
  const value = (name: string) => child(node, name)?.attributes['w:val'];
  levels[at] = {
    format: value('w:numFmt') ?? 'decimal',
    text: (value('w:lvlText') ?? '').slice(0, levelTextMax),
    start: numberOr(value('w:start')) ?? 1,
    isLegal: child(node, 'w:isLgl') !== undefined && value('w:isLgl') !== '0',
    restart: numberOr(value('w:lvlRestart')),
    styleId: value('w:pStyle') ?? null,
  };
}
