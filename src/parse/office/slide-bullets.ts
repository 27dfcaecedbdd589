/**
 * Which paragraphs of a slide are list items. A slide seldom says: the bullet comes from its shape, the layout's placeholder, the
 * master's placeholder, or the master's text styles, in this order (ECMA-376 part 1, 19.3).
 */
import { child, descend, descendants, elements, type XmlNode } from '../xml.ts';

export type Bullet = { readonly kind: 'bullet' } | { readonly kind: 'number'; readonly format: string; readonly start: number };

/** The masters of a slide, nearest first; null where the slide names none. */
export type Masters = { readonly layout: XmlNode | null; readonly master: XmlNode | null };

/** What stands before a paragraph of `shape`; null for nothing. */
export function bulletOf(paragraph: XmlNode, shape: XmlNode, masters: Masters): Bullet | null {
  const own = bulletIn(child(paragraph, 'a:pPr'));
  if (own !== undefined) return own;
  const level = levelOf(paragraph);
  for (const styles of stylesFor(shape, masters)) {
    const bullet = bulletIn(child(styles, `a:lvl${level + 1}pPr`));
    if (bullet !== undefined) return bullet;
  }
  return null;
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

function* stylesFor(shape: XmlNode, { layout, master }: Masters): Generator<XmlNode | undefined> {
  yield descend(shape, 'p:txBody', 'a:lstStyle');
  const placeholder = placeholderOf(shape);
  if (placeholder === undefined) return;
  const type = placeholder.attributes['type'] ?? 'obj';
  const inLayout = samePlaceholder(layout, type, placeholder.attributes['idx']);
  if (inLayout !== undefined) yield descend(inLayout, 'p:txBody', 'a:lstStyle');
  const masterType = /title/i.test(type) ? 'title' : 'body';
  const inMaster = samePlaceholder(master, masterType, undefined);
  if (inMaster !== undefined) yield descend(inMaster, 'p:txBody', 'a:lstStyle');
  yield descend(master, 'p:txStyles', masterType === 'title' ? 'p:titleStyle' : 'p:bodyStyle');
}

/** The `p:ph` of a shape. */
export function placeholderOf(shape: XmlNode): XmlNode | undefined {
  return descend(shape, 'p:nvSpPr', 'p:nvPr', 'p:ph') ?? descend(shape, 'p:nvGraphicFramePr', 'p:nvPr', 'p:ph');
}

function samePlaceholder(root: XmlNode | null, type: string, index: string | undefined): XmlNode | undefined {
  let byType: XmlNode | undefined;
  for (const shape of descendants(root, 'p:sp')) {
    const placeholder = placeholderOf(shape);
    if (placeholder === undefined) continue;
    if (index !== undefined && placeholder.attributes['idx'] === index) return shape;
    if ((placeholder.attributes['type'] ?? 'obj') === type) byType ??= shape;
  }
  return byType;
}
