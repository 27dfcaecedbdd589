/**
 * XML. Articles, books and patents (JATS, DocBook, TEI, DITA, USPTO, FictionBook …) are read through the vocabulary that they share: their
 * elements are turned into HTML's and go the same way. Of any other XML text and attributes are kept in order, each value with its name,
 * as the file has them: what looks like a tag in a text is text. Feeds, outlines and drawings have files of their own. Entities that the file
 * declares in itself stand for what it says, within bounds; nothing outside the file is ever read.
 */
import { normalizeLines } from './encoding.ts';
import { expandEntities } from './xml-entities.ts';
import { createBlockReader } from '../html/html-blocks.ts';
import { declaredCharset } from '../html/html-parser.ts';
import { type Attributes, readTags, type TagHandler } from '../html/html-tags.ts';
import { writeBlocks } from '../html/html-writer.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { writeDrawing } from './xml-drawing.ts';
import { isFeed, writeFeed } from './xml-feed.ts';
import { writeOutline } from './xml-outline.ts';

export function createXmlParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const { text, isWhole } = expandEntities(normalizeLines(readText(input, declaredCharset)));
  const builder = createMarkdownBuilder(input.limits);
  const root = rootName(text);
  const meta = writeBy(root, text, builder, input);
  return {
    mediaType: root === 'svg' ? 'image/svg+xml' : 'application/xml',
    pages: null,
    ...meta,
    ...builder.finish(),
    warnings: isWhole ? [] : ['Entities declared in the file are too long or refer to themselves; they were left as written'],
  };
}

function writeBy(root: string, text: string, builder: MarkdownBuilder, input: ParseInput): Meta {
  if (isFeed(root)) return writeFeed(text, builder, input.limits);
  if (root === 'opml') return writeOutline(text, builder);
  if (root === 'svg') return writeDrawing(text, builder);
  return isArticle(root, text) ? writeArticle(text, builder, input) : writeValues(text, root, builder);
}

type Meta = Pick<ParsedDocument, 'title' | 'author' | 'language'>;

function rootName(text: string): string {
  const head = text.slice(0, 16 * 1024).replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '');
  return (
    /<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]/.exec(head.replace(/<![^<>]*(?:<![^<>]*>[^<>]*)*>/g, ''))?.[1] ?? ''
  ).toLowerCase();
}

/** Roots whose text is prose. */
const articleRoots = new Set(
  (
    'article book book-part chapter section sect1 refentry set part tei text topic concept task reference dita bookmap ' +
    'us-patent-grant us-patent-application patent-application-publication patdoc patent-document nitf fictionbook doc document'
  ).split(' '),
);

/** Names that anything may have: an article's where it has an article's elements. */
const doubtfulRoots = new Set('doc document text set part section topic task concept reference'.split(' '));
const articleElement = /<(?:[\w.-]+:)?(?:p|para|simpara|sec|body|abstract|front|shortdesc|taskbody|conbody|claim-text)[\s/>]/i;

function isArticle(root: string, text: string): boolean {
  return articleRoots.has(root) && (!doubtfulRoots.has(root) || articleElement.test(text.slice(0, 256 * 1024)));
}

/** Elements that run with the line of text around them. */
const inline = new Set(
  (
    'b i u em strong bold italic emphasis sup sub sc monospace underline overline strike roman sans-serif styled-content named-content ' +
    'xref ext-link uri email link ulink a ref ptr quote q hi term foreign abbrev acronym code literal command filename option ' +
    'surname given-names suffix prefix name string-name first-name last-name middle-name firstname persname forename label year month day ' +
    'source volume issue fpage lpage article-title-inline publisher-name publisher-loc edition pub-id elocation-id person-group etal comment ' +
    'inline-formula inline-graphic tex-math span num figref claim-ref crossref country state city institution institution-wrap ' +
    'addr-line mixed-citation element-citation nlm-citation patent date-in-citation chapter-title conf-name series collab role highlight ' +
    'sup2 sub2 smallcaps o ovl maths ph keyword apiname codeph'
  ).split(' '),
);

/** Inline elements that are fields of a name, an address or a reference, often without any sign between them. */
const fields = new Set(
  (
    'surname given-names suffix prefix label article-title source year volume issue fpage lpage person-group name string-name collab ' +
    'publisher-name publisher-loc edition pub-id first-name last-name firstname forename persname institution addr-line city country'
  ).split(' '),
);

/** Elements of these vocabularies as HTML's. */
const asHtml: Readonly<Record<string, string>> = {
  'article-title': 'h1',
  'invention-title': 'h1',
  'title-of-invention': 'h1',
  'book-title': 'h1',
  para: 'p',
  simpara: 'p',
  paragraph: 'p',
  'claim-text': 'p',
  v: 'p',
  'empty-line': 'br',
  'text-author': 'p',
  epigraph: 'blockquote',
  cite: 'blockquote',
  l: 'p',
  break: 'br',
  lb: 'br',
  'disp-quote': 'blockquote',
  'verse-group': 'blockquote',
  preformat: 'pre',
  programlisting: 'pre',
  screen: 'pre',
  codeblock: 'pre',
  'list-item': 'li',
  listitem: 'li',
  item: 'li',
  itemizedlist: 'ul',
  orderedlist: 'ol',
  'def-list': 'dl',
  variablelist: 'dl',
  term: 'dt',
  def: 'dd',
  row: 'tr',
  entry: 'td',
  tbody: 'tbody',
  informaltable: 'table',
};

/** Elements whose text may lead somewhere, and the attribute that says where; others have XLink's or HTML's. */
const linkAttributes: Readonly<Record<string, 'href' | 'url' | 'target'>> = {
  a: 'href',
  'ext-link': 'href',
  link: 'href',
  uri: 'href',
  xref: 'href',
  ulink: 'url',
  ref: 'target',
};

/** Elements about the publication, not of it. */
const skipped = new Set(
  (
    'journal-meta article-id article-categories pub-date pub-history history permissions counts self-uri custom-meta-group custom-meta ' +
    'us-bibliographic-data-grant us-bibliographic-data-application drawings graphic object-id metadata teiheader info-rest pagination binary document-info stylesheet genre'
  ).split(' '),
);

const sections = new Set(
  'sec section sect1 sect2 sect3 sect4 sect5 chapter part appendix app abstract ack ref-list body-section div div1 div2 div3 topic concept task reference boxed-text glossary bibliography preface fn-group app-group notes back-section'.split(
    ' ',
  ),
);

/** Sections that say what they are by their name alone. */
const namedSections: Readonly<Record<string, string>> = {
  abstract: 'Abstract',
  'ref-list': 'References',
  claims: 'Claims',
  ack: 'Acknowledgements',
};

function writeArticle(text: string, builder: MarkdownBuilder, input: ParseInput): Meta {
  const reader = createBlockReader({ limits: input.limits, mainOnly: false });
  const article = createArticleReader(reader);
  readTags(text, article, { xml: true });
  const { blocks } = reader.finish();
  writeBlocks(blocks, builder, { limits: input.limits });
  return article.meta();
}

/** Turns the tags of an article into those of HTML. */
function createArticleReader(html: TagHandler): TagHandler & { meta(): Meta } {
  const open: { readonly name: string; readonly tag: string }[] = [];
  const counts = new Map<string, number>();
  let depth = 0;
  let skippedAt = -1;
  let language: string | null = null;
  let title: string | null = null;
  let titleAt = -1;
  let titleText: string[] = [];
  const authors: string[] = [];
  let author: { at: number; given: string; family: string } | null = null;
  /** A section's own name, until its title comes or its text begins. */
  let pendingName: string | null = null;

  function tagFor(name: string, attributes: Attributes): string {
    if (sections.has(name)) return 'section';
    if (name === 'list') return attributes['list-type'] === 'order' || attributes['list-type'] === 'arabic' ? 'ol' : 'ul';
    if (name === 'title' || name === 'head' || name === 'heading' || name === 'bridgehead') return headingTag(name, attributes);
    if (name === 'entry' || name === 'td' || name === 'th') return isInside('thead') || name === 'th' ? 'th' : 'td';
    if (name === 'code') return isInside('p') ? 'span' : 'pre';
    if (name === 'article-title' && (isInside('ref') || isInside('product') || isInside('related-article'))) return 'span';
    if ((name === 'name' || name === 'string-name' || name === 'collab') && isInside('contrib')) return 'div';
    if (name === 'label' && parent() !== 'ref' && parent() !== 'list-item') return 'span';
    if (name === 'p' && isInside('title')) return 'span';
    if (attributes['href'] !== undefined && linkAttributes[name] !== undefined) return 'a';
    const mapped = asHtml[name];
    if (mapped !== undefined) return mapped;
    return inline.has(name) ? 'span' : name;
  }

  function headingTag(name: string, attributes: Attributes): string {
    if (isInside('table-wrap') || isInside('caption') || isInside('fig') || isInside('table')) return 'p';
    const level = name === 'heading' ? Number.parseInt(attributes['level'] ?? '1', 10) + 1 : depth + 1;
    return `h${Math.min(6, Math.max(1, level || 1))}`;
  }

  function isInside(name: string): boolean {
    return (counts.get(name) ?? 0) > 0;
  }

  function parent(): string {
    return open.at(-1)?.name ?? '';
  }

  function writeName(): void {
    if (pendingName === null) return;
    const heading = `h${Math.min(6, depth + 1)}`;
    html.open(heading, {}, false);
    html.text(pendingName);
    html.close(heading);
    pendingName = null;
  }

  /** A patent's title stands among the data of its publication. */
  function writeTitle(): void {
    html.open('h1', {}, false);
    html.text(title ?? '');
    html.close('h1');
  }

  return {
    open(name, written, isEmpty) {
      const attributes = withTarget(name, written);
      language ??= attributes['xml:lang'] ?? attributes['lang'] ?? null;
      if (skippedAt === -1 && skipped.has(name) && !isEmpty) skippedAt = open.length;
      const tag = tagFor(name, attributes);
      if (skippedAt === -1) {
        if (name === 'title') pendingName = null;
        else if (tag === 'p' || tag === 'li') writeName();
        html.open(tag, spanAttributes(attributes), isEmpty);
        if (!isEmpty && namedSections[name] !== undefined) pendingName = namedSections[name];
      }
      if (isEmpty) return;
      if (sections.has(name) || name === 'claims') depth += 1;
      if (tag === 'h1' && title === null) [titleAt, titleText] = [open.length, []];
      if (name === 'contrib') author = { at: open.length, given: '', family: '' };
      open.push({ name, tag });
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    text(data) {
      if (titleAt !== -1) titleText.push(data);
      if (author !== null && (parent() === 'surname' || parent() === 'collab')) author.family += data;
      if (author !== null && parent() === 'given-names') author.given += data;
      if (skippedAt === -1 && open.length > 0) html.text(data);
    },
    close(name) {
      if (!isInside(name)) return;
      for (let last = open.pop(); last !== undefined; last = open.pop()) {
        counts.set(last.name, counts.get(last.name)! - 1);
        if (sections.has(last.name) || last.name === 'claims') depth -= 1;
        if (open.length === titleAt) {
          title = titleText.join('').replace(/\s+/g, ' ').trim() || null;
          titleAt = -1;
          if (skippedAt !== -1) writeTitle();
        }
        if (author !== null && open.length === author.at) {
          const full = `${author.given.trim()} ${author.family.trim()}`.trim();
          if (full !== '') authors.push(full);
          author = null;
        }
        if (skippedAt === -1) html.close(last.tag);
        else if (open.length === skippedAt) skippedAt = -1;
        if (skippedAt === -1 && (fields.has(last.name) || (last.name === 'p' && last.tag === 'span'))) html.text(' ');
        if (last.name === name) break;
      }
    },
    meta: () => ({
      title,
      author: authors.length > 0 ? authors.slice(0, 100).join(', ') : null,
      language: /^[a-z]{2,3}/.exec(language?.toLowerCase() ?? '')?.[0] ?? null,
    }),
  };
}

/** Where a link leads, by the name that HTML has for it. */
function withTarget(name: string, attributes: Attributes): Attributes {
  const target = attributes[linkAttributes[name] ?? 'href'];
  return target === undefined || attributes['href'] === target ? attributes : { ...attributes, href: target };
}

/** CALS counts the rows that follow, HTML those that are covered. */
function spanAttributes(attributes: Attributes): Attributes {
  if (attributes['morerows'] !== undefined) return { rowspan: String(1 + (Number.parseInt(attributes['morerows'], 10) || 0)) };
  return attributes;
}

/**
 * Any other XML: an element is a line `name (attribute: value, …): text`, as far as it has them; lines of one parent stand together. Text
 * between elements comes as it is.
 */
function writeValues(text: string, root: string, builder: MarkdownBuilder): Meta {
  let lines: string[] = [];
  let run: string[] = [];
  /** The element that was opened last, while nothing but text came since. */
  let leaf: { readonly name: string; readonly facts: string } | null = null;
  /** What stands before the root is a declaration's. */
  let hasRoot = false;
  let title: string | null = null;
  let language: string | null = null;
  const isPropertyList = root === 'plist';
  /** In a property list: the key whose value comes next. */
  let key: string | null = null;

  /** Writes what came since the last tag; with a name it is the whole of that element. */
  function flushRun(): void {
    const value = run
      .join('')
      .replace(/[ \t\n]+/g, (white) => (white.includes('\n') ? '\n' : white))
      .trim();
    run = [];
    if (isPropertyList) return flushProperty(value);
    const head = leaf === null ? '' : `${leaf.name}${leaf.facts}`;
    if (leaf?.name === 'title' && value !== '') title ??= value.slice(0, 1000);
    if (value !== '') lines.push(head === '' ? value : `${head}: ${value}`);
    else if (leaf !== null && leaf.facts !== '') lines.push(head);
    if (lines.length >= paragraphLinesMax) flushLines();
  }

  /** The key and its value are elements beside each other, and some values are an element's name. */
  function flushProperty(text: string): void {
    const value = leaf !== null && (leaf.name === 'true' || leaf.name === 'false') ? leaf.name : text;
    if (leaf?.name === 'key') {
      if (key !== null) lines.push(`${key}:`);
      key = value;
    } else if (value !== '') {
      lines.push(key === null ? value : `${key}: ${value}`);
      key = null;
    }
    if (lines.length >= paragraphLinesMax) flushLines();
  }

  function flushLines(): void {
    builder.paragraph(lines.join('\n'));
    lines = [];
  }

  /** Of an element that holds others its text is no value, so its attributes stand alone. */
  function open(name: string, attributes: Attributes, isEmpty: boolean): void {
    language ??= attributes['xml:lang'] ?? null;
    if (leaf !== null) openParent(leaf.name, leaf.facts);
    else flushRun();
    hasRoot = true;
    leaf = { name, facts: listFacts(attributes) };
    if (isEmpty) close();
  }

  function openParent(name: string, facts: string): void {
    leaf = null;
    if (facts !== '') lines.push(name + facts);
    flushRun();
  }

  function close(): void {
    const isLeaf = leaf !== null;
    flushRun();
    if (!isLeaf) flushLines();
    leaf = null;
  }

  readTags(text, { open, close, text: (data) => void (hasRoot && run.push(data)) }, { xml: true, allAttributes: true });
  flushRun();
  flushLines();
  return { title, author: null, language: /^[a-z]{2,3}/.exec((language as string | null)?.toLowerCase() ?? '')?.[0] ?? null };
}

/** An element's attributes as people would say them; those that speak to programs about the file are left out. */
function listFacts(attributes: Attributes): string {
  const facts = Object.entries(attributes).flatMap(([name, value = '']) => {
    const shown = value.replace(/\s+/g, ' ').trim();
    return shown === '' || /^(?:xmlns(?::|$)|xsi:|xml:(?!id$))/.test(name)
      ? []
      : [`${name.slice(name.lastIndexOf(':') + 1)}: ${shown}`];
  });
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}

/** Values of one parent beyond this make another paragraph. */
const paragraphLinesMax = 1000;
