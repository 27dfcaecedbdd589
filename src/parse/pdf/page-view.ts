/** The page as seen: its visible box and rotation. */

/** The visible box of a page, turned as its reader sees it. */
export type View = {
  readonly width: number;
  readonly height: number;
  /** Position in user space → as seen, y downwards. */
  readonly x: (x: number, y: number) => number;
  readonly y: (x: number, y: number) => number;
  /** Quarter turns clockwise, 0–3. */
  readonly turns: number;
};

/** Corners in user space. */
export type PageBox = { readonly left: number; readonly bottom: number; readonly right: number; readonly top: number };

/** @param rotation quarter turns clockwise, any whole number */
export function viewOf({ left, bottom, right, top }: PageBox, rotation: number): View {
  const turns = ((rotation % 4) + 4) % 4;
  const across = right - left;
  const down = top - bottom;
  const size = turns % 2 === 0 ? { width: across, height: down } : { width: down, height: across };
  // One function for every page: what is called for each glyph stays optimized.
  const place = (xx: number, xy: number, xStart: number, yx: number, yy: number, yStart: number): View => ({
    ...size,
    turns,
    x: (x, y) => xx * x + xy * y + xStart,
    y: (x, y) => yx * x + yy * y + yStart,
  });
  switch (turns) {
    case 1:
      return place(0, 1, -bottom, 1, 0, -left);
    case 2:
      return place(-1, 0, right, 0, 1, -bottom);
    case 3:
      return place(0, -1, top, -1, 0, right);
    default:
      return place(1, 0, -left, 0, -1, top);
  }
}
