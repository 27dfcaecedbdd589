/** Feeds (RSS, RDF, Atom): each entry under its title, with its facts, its text read as the HTML that it mostly is. */
import { readTags } from '../html/html-tags.ts';
import { writeHtml } from '../html/html-writer.ts';
import type { MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseLimits } from '../parser.ts';
import { writeParagraphs } from './text-parser.ts';

type Meta = Pick<ParsedDocument, 'title' | 'author' | 'language'>;

/** Elements of one entry, or of the feed itself. */
type Item = { title: string; readonly facts: string[]; readonly texts: string[] };

const feedRoots = new Set(['rss', 'feed', 'rdf']);
const itemNames = new Set(['item', 'entry']);
/** Holds the feed's own elements, or the parts of one of them. */
const around = new Set(['rss', 'rdf', 'feed', 'channel', 'author', 'contributor', 'source', 'group', 'items', 'seq']);
const textNames = new Set(['description', 'summary', 'content', 'encoded', 'subtitle', 'tagline']);
/** How a reader calls them; others keep their name. */
const labels: Readonly<Record<string, string>> = {
  pubdate: 'Published',
  published: 'Published',
  date: 'Date',
  updated: 'Updated',
  modified: 'Updated',
  lastbuilddate: 'Updated',
  link: 'Link',
  name: 'Author',
  creator: 'Author',
  author: 'Author',
  category: 'Category',
};
const dull = new Set(['guid', 'id', 'generator', 'docs', 'ttl', 'cloud', 'url', 'width', 'height', 'icon', 'logo', 'uri', 'li']);

export function isFeed(root: string): boolean {
  return feedRoots.has(root);
}

function pictured(said: string): string {
  return `Image: ${said}`;
}

/** Writes a feed in one pass. @throws DocumentError `limit_exceeded` from the builder */
export function writeFeed(text: string, builder: MarkdownBuilder, limits: ParseLimits): Meta {
  let item: Item = { title: '', facts: [], texts: [] };
  let isEntry = false;
  let language: string | null = null;
  let title: string | null = null;
  /** The element whose text is being read, and the elements inside of it (Atom's XHTML). */
  let field: { readonly name: string; depth: number; readonly parts: string[] } | null = null;

  function finishItem(level: number): void {
    if (level === 1) title ??= item.title || null;
    builder.heading(level, item.title === '' && isEntry ? 'Entry' : item.title);
    const facts = new Set(item.facts);
    facts.delete(pictured(item.title));
    builder.list([...facts].map((fact) => ({ text: fact, depth: 0, ordered: false })));
    for (const each of new Set(item.texts)) {
      if (/<[a-z/!][^<>]*>/i.test(each)) writeHtml(each, builder, { limits, levelShift: level });
      else writeParagraphs(each, builder);
    }
    item = { title: '', facts: [], texts: [] };
  }

  function finishField(name: string, value: string): void {
    if (value === '') return;
    if (name === 'title') item.title ||= value.replace(/<[^<>]*>/g, '').replace(/\s+/g, ' ');
    else if (textNames.has(name)) item.texts.push(value);
    else if (name === 'image') addPicture(value);
    else if (!dull.has(name)) item.facts.push(`${labels[name] ?? name}: ${value.replace(/\s+/g, ' ')}`);
  }

  /** What a picture is called; of its address, size and link a reader has nothing. */
  function addPicture(value: string): void {
    for (const [, said] of value.matchAll(/<(?:title|description)>([^<]*)</g)) {
      const text = said!.replace(/\s+/g, ' ').trim();
      if (text !== '') item.facts.push(pictured(text));
    }
  }

  function endField(): void {
    if (field === null) return;
    const value = field.parts.join('').trim();
    if (field.name === 'language') language ??= value;
    else finishField(field.name, field.name === 'author' ? value.replace(/<[^<>]*>/g, ' ').trim() : value);
    field = null;
  }

  readTags(
    text,
    {
      open(name, attributes, isEmpty) {
        language ??= attributes['xml:lang'] ?? null;
        if (field !== null) {
          field.parts.push(`<${name}>`);
          if (!isEmpty) field.depth += 1;
        } else if (itemNames.has(name)) {
          finishItem(isEntry ? 2 : 1);
          isEntry = true;
        } else if (!around.has(name)) {
          const fact = attributes['href'] ?? attributes['term'];
          if (fact !== undefined && (attributes['rel'] ?? 'alternate') === 'alternate') finishField(name, fact.trim());
          if (!isEmpty) field = { name, depth: 0, parts: [] };
        } else if (name === 'author' && !isEmpty) field = { name, depth: 0, parts: [] };
      },
      text: (data) => void field?.parts.push(data),
      close(name) {
        if (field !== null && field.depth > 0) {
          field.depth -= 1;
          field.parts.push(`</${name}>`);
        } else if (field !== null) endField();
        else if (itemNames.has(name)) {
          finishItem(2);
          isEntry = false;
        }
      },
    },
    { xml: true, allAttributes: true },
  );
  // A feed that breaks off is read as far as it goes.
  endField();
  finishItem(isEntry ? 2 : 1);
  return { title, author: null, language: /^[a-z]{2,3}/.exec((language as string | null)?.toLowerCase() ?? '')?.[0] ?? null };
}
