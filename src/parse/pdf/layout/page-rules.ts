/** Ruling lines of a page, out of what is drawn on it: for tables. */
import type { View } from '../page-view.ts';

/** A drawn line or thin bar, horizontal or vertical, as seen. */
export type Rule = { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };

/** Two points in user space: opposite corners of a box, or the ends of a line. */
export type Pair = readonly [number, number, number, number];

/** Past this many objects a page is a drawing, and its lines say nothing about tables. */
export const objectsMax = 20_000;
/** A path of more pieces is a curve or a picture. */
export const piecesMax = 400;
/** A filled bar as thin as this is a line. Points. */
const thick = 3;
/** Shorter lines are ticks and dashes. Points. */
const short = 4;
const rulesMax = 4000;

export type RuleFinder = {
  /** @param strokes the straight pieces of the path, if it is stroked; asked only where they matter */
  addPath(box: Pair, strokes: () => Iterable<Pair>): void;
  readonly rules: readonly Rule[];
};

/** A thin path is a line; of a stroked path, its straight pieces are. At most `rulesMax` a page. */
export function createRuleFinder(view: View): RuleFinder {
  const rules: Rule[] = [];
  const add = (line: Pair): void => {
    const rule = ruleOf(view, line);
    const across = rule.x2 - rule.x1;
    const down = rule.y2 - rule.y1;
    if (Math.min(across, down) <= thick && Math.max(across, down) >= short && rules.length < rulesMax) rules.push(rule);
  };
  return {
    rules,
    addPath(box, strokes) {
      const [x1, y1, x2, y2] = box;
      const thickness = Math.min(Math.abs(x2 - x1), Math.abs(y2 - y1));
      if (thickness <= thick) add(box);
      else if (thickness >= short * 2) for (const line of strokes()) add(line);
    },
  };
}

function ruleOf(view: View, [x1, y1, x2, y2]: Pair): Rule {
  const [left, right] = [view.x(x1, y1), view.x(x2, y2)];
  const [top, bottom] = [view.y(x1, y1), view.y(x2, y2)];
  return { x1: Math.min(left, right), y1: Math.min(top, bottom), x2: Math.max(left, right), y2: Math.max(top, bottom) };
}
