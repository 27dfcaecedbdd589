/** Alternative text of pictures, shapes and charts: what their author, or the office program, says that they show. */
import type { XmlNode } from '../containers/xml.ts';

/** Elements that carry it, and in which attribute. */
const carriers: Readonly<Record<string, string>> = {
  'wp:docPr': 'descr',
  'pic:cNvPr': 'descr',
  'p:cNvPr': 'descr',
  'xdr:cNvPr': 'descr',
  'v:shape': 'alt',
  'v:rect': 'alt',
};

/** Each once, in one line, in their order; not those of what stands in text boxes, which is read by itself. */
export function descriptionsOf(node: XmlNode): string[] {
  const found = new Set<string>();
  collect(node, found);
  return [...found];
}

function collect(node: XmlNode, found: Set<string>): void {
  const text = descriptionOf(node.attributes[carriers[node.name] ?? '']);
  if (text !== '') found.add(text);
  for (const each of node.children) if (typeof each !== 'string' && each.name !== 'w:txbxContent') collect(each, found);
}

/** The text of such an attribute; '' when it says nothing, as a path, a file's name or the bare word for a picture does. */
export function descriptionOf(value: string | undefined): string {
  const text = (value ?? '').replace(/\s+/g, ' ').trim();
  if (/^(?:picture|image|graphic|shape|chart|diagram|图片|圖片|图像|图形|图表)(?: ?\d{1,6})?$/i.test(text)) return '';
  return /^(?:[a-z]:[\\/]|https?:|file:)\S*$|^\S*\.(?:png|jpe?g|gif|bmp|tiff?|wmf|emf|svg|webp)$/i.test(text) ? '' : text;
}
