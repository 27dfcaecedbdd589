/** One XML part of an office file as events: elements that open and close, and some that come whole, as trees. */
import { createTreeBuilder, type Attributes, type TreeBuilder, type XmlHandler, type XmlNode } from '../containers/xml.ts';

export type PartEvents = {
  /** For messages. */
  readonly part: string;
  /** Elements that come whole, by name. */
  readonly captured: ReadonlySet<string>;
  /** Of an element that is passed over with all that is in it. */
  readonly isDropped: (name: string, attributes: Attributes) => boolean;
  readonly begin: (name: string, attributes: Attributes) => void;
  readonly end: (name: string) => void;
  /** A captured element, at its end. */
  readonly whole: (node: XmlNode) => void;
};

/** A handler that calls `events`. Memory: one captured element at a time. */
export function readPartEvents({ part, captured, isDropped, begin, end, whole }: PartEvents): XmlHandler {
  let tree: TreeBuilder | null = null;
  let skipped = 0;
  return {
    open(name, attributes) {
      if (tree !== null) tree.handler.open(name, attributes);
      else if (skipped > 0 || isDropped(name, attributes)) skipped++;
      else if (captured.has(name)) {
        tree = createTreeBuilder(part);
        tree.handler.open(name, attributes);
      } else begin(name, attributes);
    },
    text: (data) => tree?.handler.text?.(data),
    close(name) {
      if (tree === null) {
        if (skipped > 0) skipped--;
        else end(name);
        return;
      }
      tree.handler.close(name);
      if (tree.depth > 0) return;
      const node = tree.root()!;
      tree = null;
      whole(node);
    },
  };
}
