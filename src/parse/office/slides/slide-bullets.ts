/**
 * Which paragraphs of a slide are list items. A slide seldom says: the bullet comes from its shape, the layout's placeholder, the
 * master's placeholder, or the master's text styles, in this order (ECMA-376 part 1, 19.3).
 */
import { child, descend, descendants, elements, type XmlNode } from '../../containers/xml.ts';

export type Bullet = { readonly kind: 'bullet' } | { readonly kind: 'number'; readonly format: string; readonly start: number };

/** By level: undefined where nothing is said about bullets, null where it is said that there are none. */
type Bullets = readonly (Bullet | null | undefined)[];

/** What a layout or a master says of bullets, read once: every paragraph of every slide asks. */
export type SlideMaster = {
  readonly byIndex: ReadonlyMap<string, Bullets>;
  readonly byType: ReadonlyMap<string, Bullets>;
  readonly title: Bullets;
  readonly body: Bullets;
};

/** The masters of a slide, nearest first; null where the slide names none. */
export type Masters = { readonly layout: SlideMaster | null; readonly master: SlideMaster | null };

/** Reads a `p:sldLayout` or `p:sldMaster`. */
export function readSlideMaster(root: XmlNode | null): SlideMaster {
  const byIndex = new Map<string, Bullets>();
  const byType = new Map<string, Bullets>();
  for (const shape of descendants(root, 'p:sp')) {
    const placeholder = placeholderOf(shape);
    if (placeholder === undefined) continue;
    const bullets = bulletsIn(descend(shape, 'p:txBody', 'a:lstStyle'));
    const { idx, type = 'obj' } = placeholder.attributes;
    if (idx !== undefined && !byIndex.has(idx)) byIndex.set(idx, bullets);
    if (!byType.has(type)) byType.set(type, bullets);
  }
  const styles = child(root, 'p:txStyles');
  return { byIndex, byType, title: bulletsIn(child(styles, 'p:titleStyle')), body: bulletsIn(child(styles, 'p:bodyStyle')) };
}

/** What stands before each paragraph of `shape`; null for nothing. */
export function bulletsOf(shape: XmlNode, masters: Masters): (paragraph: XmlNode) => Bullet | null {
  const inherited = inheritedBullets(shape, masters);
  return (paragraph) => {
    const own = bulletIn(child(paragraph, 'a:pPr'));
    if (own !== undefined) return own;
    const level = levelOf(paragraph);
    return inherited.find((bullets) => bullets[level] !== undefined)?.[level] ?? null;
  };
}

/** 0–8. */
export function levelOf(paragraph: XmlNode): number {
  const level = Number.parseInt(child(paragraph, 'a:pPr')?.attributes['lvl'] ?? '0', 10);
  return level >= 0 && level <= 8 ? level : 0;
}

/** Undefined where the properties say nothing about bullets, null where they say none. */
function bulletIn(properties: XmlNode | undefined): Bullet | null | undefined {
  for (const each of elements(properties)) {
    if (each.name === 'a:buNone') return null;
    if (each.name === 'a:buChar' || each.name === 'a:buBlip') return { kind: 'bullet' };
    if (each.name === 'a:buAutoNum') {
      const start = Number.parseInt(each.attributes['startAt'] ?? '1', 10);
      return { kind: 'number', format: each.attributes['type'] ?? 'arabicPeriod', start: start >= 1 ? start : 1 };
    }
  }
  return undefined;
}

function bulletsIn(styles: XmlNode | undefined): Bullets {
  const bullets: (Bullet | null | undefined)[] = [];
  const seen = new Set<string>();
  for (const each of elements(styles)) {
    const level = /^a:lvl([1-9])pPr$/.exec(each.name)?.[1];
    if (level === undefined || seen.has(level)) continue;
    seen.add(level);
    bullets[Number(level) - 1] = bulletIn(each);
  }
  return bullets;
}

function inheritedBullets(shape: XmlNode, { layout, master }: Masters): readonly Bullets[] {
  const own = bulletsIn(descend(shape, 'p:txBody', 'a:lstStyle'));
  const placeholder = placeholderOf(shape);
  if (placeholder === undefined) return [own];
  const { idx, type = 'obj' } = placeholder.attributes;
  const masterType = /title/i.test(type) ? 'title' : 'body';
  const inLayout = (idx === undefined ? undefined : layout?.byIndex.get(idx)) ?? layout?.byType.get(type);
  return [own, inLayout ?? [], master?.byType.get(masterType) ?? [], master?.[masterType] ?? []];
}

/** The `p:ph` of a shape. */
export function placeholderOf(shape: XmlNode): XmlNode | undefined {
  return descend(shape, 'p:nvSpPr', 'p:nvPr', 'p:ph') ?? descend(shape, 'p:nvGraphicFramePr', 'p:nvPr', 'p:ph');
}
