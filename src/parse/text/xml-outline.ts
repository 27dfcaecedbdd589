/** Outlines (OPML): one nested list; a feed or a page that an item stands for is written behind its text. */
import { readTags } from '../html/html-tags.ts';
import type { ListItem, MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument } from '../parser.ts';

type Meta = Pick<ParsedDocument, 'title' | 'author' | 'language'>;

/** Items of one list block; more make another. */
const itemsMax = 1000;

/** Writes an outline in one pass. @throws DocumentError `limit_exceeded` from the builder */
export function writeOutline(text: string, builder: MarkdownBuilder): Meta {
  const found: Record<string, string> = {};
  let depth = 0;
  let items: ListItem[] = [];
  let field: string | null = null;
  readTags(
    text,
    {
      open(name, attributes, isEmpty) {
        if (name === 'outline') {
          items.push({ text: itemText(attributes), depth, ordered: false });
          if (!isEmpty) depth += 1;
          if (items.length >= itemsMax && depth === 0) {
            builder.list(items);
            items = [];
          }
        } else if (name === 'title' || name === 'ownername') field = isEmpty ? null : name;
      },
      text(data) {
        if (field !== null) found[field] = ((found[field] ?? '') + data).slice(0, 1000);
      },
      close(name) {
        if (name === 'outline') depth = Math.max(0, depth - 1);
        if (name === 'title') builder.heading(1, found['title'] ?? '');
        field = null;
      },
    },
    { xml: true, allAttributes: true },
  );
  builder.list(items);
  return { title: found['title']?.trim() || null, author: found['ownername']?.trim() || null, language: null };
}

function itemText(attributes: Readonly<Record<string, string | undefined>>): string {
  const { text, title, _note: note, description } = attributes;
  const label = (text ?? title ?? '').replace(/<[^<>]*>/g, '').trim();
  const target = attributes['xmlurl'] ?? attributes['url'] ?? attributes['htmlurl'];
  const parts = [label, target === undefined || target === label ? '' : `(${target})`];
  return [parts.filter((part) => part !== '').join(' '), note ?? '', description ?? '']
    .filter((part) => part.trim() !== '')
    .join('\n');
}
