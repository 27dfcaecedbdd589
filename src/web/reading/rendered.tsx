/** Blocks of parsed text as headings, lists and tables, with a passage and words marked by offsets: text nodes only, never HTML. */
import { Fragment, type VNode } from 'preact';
import type { PageStart } from '../api.ts';
import { sentences } from '../language.ts';
import { MarkedText, type MarkRange } from '../marked-text.tsx';
import type { Block, Leaf } from './blocks.ts';

export type Marks = {
  /** Offsets into the text that the blocks are of; null for none. */
  readonly passage: MarkRange | null;
  readonly words: readonly MarkRange[];
};

type Props = {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly marks: Marks;
  /** Where pages begin in the whole document, in order. */
  readonly pages?: readonly PageStart[];
  /** Where the text begins in the whole document. */
  readonly offset: number;
  /** The level that the document's outermost headings have on the page. */
  readonly headingLevel: number;
};

export function Rendered({ text, blocks, marks, pages = [], offset, headingLevel }: Props): VNode {
  const levels = headingLevels(blocks, headingLevel);
  const begun = pagesBefore(blocks, pages, offset);
  return (
    <>
      {blocks.map((block, index) => (
        <Fragment key={offset + block.start}>
          {begun[index] === undefined ? null : <p class="page-start">{sentences.value.search.page(String(begun[index]))}</p>}
          <Shown text={text} block={block} marks={marks} offset={offset} level={levels[index] ?? headingLevel} />
        </Fragment>
      ))}
    </>
  );
}

/** For each block the page that begins with it; of pages without a block of their own the last one. */
function pagesBefore(blocks: readonly Block[], pages: readonly PageStart[], offset: number): readonly (number | undefined)[] {
  let next = 0;
  return blocks.map((block, index) => {
    let begun: number | undefined;
    while (next < pages.length && (pages[next]?.start ?? 0) <= offset + block.start) {
      // What began before this stretch of the text is not its beginning.
      if (index > 0 || (pages[next]?.start ?? 0) === offset + block.start) begun = pages[next]?.page;
      next += 1;
    }
    return begun;
  });
}

type ShownProps = {
  readonly text: string;
  readonly block: Block;
  readonly marks: Marks;
  readonly offset: number;
  readonly level: number;
};

function Shown({ text, block, marks, offset, level }: ShownProps): VNode {
  const part = (leaf: Leaf): VNode => <LeafText text={text} leaf={leaf} marks={marks} />;
  const start = String(offset + block.start);
  switch (block.kind) {
    case 'heading':
      return (
        <div class={`block block-heading depth-${block.level}`} role="heading" aria-level={level} data-start={start}>
          {part(block.leaf)}
        </div>
      );
    case 'list':
      return (
        <ul class="block block-list" data-start={start}>
          {block.items.map(({ marker, depth, leaf }, index) => (
            <li key={index} class={`item depth-${Math.min(depth, 5)}`}>
              <span class="marker" aria-hidden={/\d/.test(marker) ? undefined : 'true'}>
                {/\d/.test(marker) ? marker : '•'}
              </span>
              <span class="item-text">{part(leaf)}</span>
            </li>
          ))}
        </ul>
      );
    case 'table':
      return (
        <div class="block block-table" data-start={start} tabIndex={0} role="group" aria-label={sentences.value.documents.table}>
          <table>
            {block.head === null ? null : (
              <thead>
                <tr>
                  {block.head.map((cell, index) =>
                    cell.length === 0 ? (
                      <td key={index} />
                    ) : (
                      <th key={index} scope="col">
                        {part(cell)}
                      </th>
                    ),
                  )}
                </tr>
              </thead>
            )}
            <tbody>
              {block.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, index) => (
                    <td key={index} class={isFigure(text, cell) ? 'is-figure' : undefined}>
                      {part(cell)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'code':
      return (
        <pre class="block block-code" data-start={start} tabIndex={0}>
          {part(block.leaf)}
        </pre>
      );
    case 'quote':
      return (
        <blockquote class="block block-quote" data-start={start}>
          {part(block.leaf)}
        </blockquote>
      );
    case 'plain':
      return (
        <p class="block" data-start={start}>
          {part(block.leaf)}
        </p>
      );
  }
}

function LeafText({ text, leaf, marks }: { text: string; leaf: Leaf; marks: Marks }): VNode {
  return (
    <>
      {leaf.map(([from, to]) => (
        <RunText key={from} text={text} from={from} to={to} marks={marks} />
      ))}
    </>
  );
}

function RunText({ text, from, to, marks }: { text: string; from: number; to: number; marks: Marks }): VNode {
  const [part] = marks.passage === null ? [] : within([marks.passage], from, to);
  if (part === undefined) return <>{text.slice(from, to)}</>;
  const [first, last] = [from + part[0], from + part[1]];
  return (
    <>
      {text.slice(from, first)}
      <mark class="passage">
        <MarkedText text={text.slice(first, last)} ranges={within(marks.words, first, last)} />
      </mark>
      {text.slice(last, to)}
    </>
  );
}

/** The part of each range that lies in `[start, end)`, counted from `start`. */
function within(ranges: readonly MarkRange[], start: number, end: number): readonly MarkRange[] {
  return ranges
    .map(([from, to]): MarkRange => [Math.max(from, start) - start, Math.min(to, end) - start])
    .filter(([from, to]) => to > from);
}

/** None is deeper than one below the heading before it, as a page's outline has to be. */
function headingLevels(blocks: readonly Block[], outermost: number): readonly number[] {
  let last = outermost - 1;
  const least = Math.min(6, ...blocks.map((block) => (block.kind === 'heading' ? block.level : 6)));
  return blocks.map((block) => {
    if (block.kind !== 'heading') return 0;
    last = Math.min(block.level - least + outermost, last + 1, 6);
    return last;
  });
}

function isFigure(text: string, cell: Leaf): boolean {
  const [only] = cell;
  return cell.length === 1 && only !== undefined && /^[-+(]?[\d.,\s]*\d[\d.,\s]*[)%]?$/.test(text.slice(...only));
}
