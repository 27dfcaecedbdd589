/** Tables of a DOC file: paragraphs that say how deep they are inside of tables, and marks at the ends of cells and rows. */
import { DocumentError } from '../../../errors.ts';
import type { Repeats } from '../../repeats.ts';
import { createTextWriter, type BlockWriter, type TextWriter } from '../block-writer.ts';
import type { RowShape } from './doc-properties.ts';

/** The texts of its cells: a writer for each took 300 times the size of a document of small cells. */
type Row = { readonly cells: readonly string[]; readonly shape: RowShape | null };
type Table = {
  readonly rows: Row[];
  cells: string[];
  open: TextWriter | null;
  /** The first cell, which may turn out to be the only one. */ first: TextWriter | null;
};

export interface DocTables {
  /** Where text goes at this depth: 0 is outside of all tables. Tables deeper than that end. */
  writer(depth: number): BlockWriter;
  endCell(depth: number): void;
  endRow(depth: number, shape: RowShape | null): void;
  /** Ends all tables. */
  finish(): void;
}

/** Tables in tables; deeper ones are read as if they stood here. */
const depthMax = 20;
/** Word has 63 columns; different edges of the cells of all rows together make a few more. */
const columnsMax = 200;
/** Edges that are nearer than this (in twentieths of a point) are one. */
const edgeDistance = 40;

/** Writes to `out`. @throws DocumentError `limit_exceeded` (MAX_CELLS). */
export function createDocTables(out: BlockWriter, onCells: (count: number) => void, repeats: Repeats): DocTables {
  const open: Table[] = [];

  function close(depth: number): void {
    while (open.length > depth) {
      const table = open.pop()!;
      if (table.cells.length > 0 || table.open !== null) endRowOf(table, null);
      const to = open.length === 0 ? out : cellOf(open.at(-1)!);
      const [row] = table.rows;
      // A table of one cell is a frame around text, not a table.
      if (table.rows.length === 1 && row!.cells.length === 1) table.first?.replay(to);
      else writeTable(table.rows, to, onCells, repeats);
    }
  }

  function cellOf(table: Table): TextWriter {
    return (table.open ??= createTextWriter());
  }

  function at(depth: number): Table | null {
    const bounded = Math.min(depth, depthMax);
    close(bounded);
    while (open.length < bounded) open.push({ rows: [], cells: [], open: null, first: null });
    return open.at(-1) ?? null;
  }

  function endCellOf(table: Table): void {
    const cell = cellOf(table);
    if (table.rows.length === 0 && table.cells.length === 0) table.first = cell;
    table.cells.push(cell.text());
    table.open = null;
  }

  function endRowOf(table: Table, shape: RowShape | null): void {
    if (table.open !== null && table.open.text() !== '') endCellOf(table);
    if (table.cells.length > 0) table.rows.push({ cells: table.cells, shape });
    table.cells = [];
    table.open = null;
  }

  return {
    writer(depth) {
      const table = at(depth);
      return table === null ? out : cellOf(table);
    },
    endCell(depth) {
      const table = at(depth);
      if (table === null) return;
      onCells(1);
      endCellOf(table);
    },
    endRow(depth, shape) {
      const table = at(depth);
      if (table !== null) endRowOf(table, shape);
    },
    finish: () => close(0),
  };
}

/** Counts cells. */
export function createCells(cellsMax: number): (count: number) => void {
  let cells = 0;
  return (count) => {
    cells += count;
    if (cells > cellsMax)
      throw new DocumentError('limit_exceeded', `The document has more than ${cellsMax} table cells (MAX_CELLS)`);
  };
}

/** Merged cells repeat their text, so that each row and each column can be read (and found) by itself. */
function writeTable(rows: readonly Row[], out: BlockWriter, onCells: (count: number) => void, repeats: Repeats): void {
  const edges = edgesOf(rows);
  const written: string[][] = [];
  let above: (string | undefined)[] = [];
  for (const { cells, shape } of rows) {
    const texts: string[] = Array.from({ length: edges === null ? 0 : columnOf(edges, shape?.edges[0]) }, () => '');
    const merged: (string | undefined)[] = [];
    for (const [index, cell] of cells.entries()) {
      const merge = shape?.merges[index];
      const span = edges === null || shape === null ? 1 : spanOf(edges, shape, index);
      const fromAbove = merge?.vertical === 'continue' ? above[texts.length] : undefined;
      const own = fromAbove ?? repeats.first(cell);
      const text = merge?.isRestOfRow === true && own === '' ? repeats.again(texts.at(-1) ?? '') : own;
      onCells(span - 1);
      for (let count = 0; count < span; count++) {
        if (merge !== undefined && merge.vertical !== null) merged[texts.length] = text;
        texts.push(count === 0 && fromAbove === undefined ? text : repeats.again(text));
      }
    }
    above = merged;
    written.push(texts);
  }
  out.table(written);
}

/** Where the columns of the whole table begin and end; null where rows do not say. */
function edgesOf(rows: readonly Row[]): readonly number[] | null {
  const all = new Set<number>();
  for (const { cells, shape } of rows) {
    if (shape === null || shape.edges.length !== cells.length + 1) return null;
    for (const edge of shape.edges) all.add(edge);
    if (all.size > 10 * columnsMax) return null;
  }
  const edges: number[] = [];
  for (const edge of [...all].sort((a, b) => a - b))
    if (edges.length === 0 || edge - edges.at(-1)! >= edgeDistance) edges.push(edge);
  return edges.length > columnsMax ? null : edges;
}

/** The column that begins nearest to an edge. */
function columnOf(edges: readonly number[], edge: number | undefined): number {
  if (edge === undefined) return 0;
  const next = edges.findIndex((each) => each >= edge - edgeDistance / 2);
  const at = next === -1 ? edges.length - 1 : next;
  return edges[at]! - edge >= edgeDistance / 2 && at > 0 ? at - 1 : at;
}

function spanOf(edges: readonly number[], { edges: own }: RowShape, index: number): number {
  return Math.max(1, columnOf(edges, own[index + 1]) - columnOf(edges, own[index]));
}
