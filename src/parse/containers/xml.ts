/**
 * Reads XML as events (htmlparser2 in XML mode): names come with one fixed prefix per namespace whatever the file calls it,
 * nesting and text are counted, and there are no entities beyond the five of XML: a document that declares some is refused.
 * Knows no file format; small parts may be had as a tree.
 */
import { TextDecoder } from 'node:util';
import { Parser as MarkupParser } from 'htmlparser2';
import { DocumentError } from '../../errors.ts';
import type { ParseLimits } from '../parser.ts';
import type { Zip } from './zip.ts';

export type Attributes = Readonly<Record<string, string>>;

/** Receives a document in its order. `name` is `prefix:local` with the prefix that the namespace table gives. */
export type XmlHandler = {
  open(name: string, attributes: Attributes): void;
  /** A piece of text; a run of text may come in several. */
  text?(data: string): void;
  close(name: string): void;
};

/** Namespace URI → the prefix under which handlers know it. Elements of other namespaces come as `_:local`. */
export type NamespaceTable = Readonly<Record<string, string>>;

export type XmlOptions = {
  readonly namespaces: NamespaceTable;
  readonly limits: Pick<ParseLimits, 'depthMax' | 'charactersMax' | 'cellsMax'>;
  /** What all parts of one file have held so far; they share the limits. */
  readonly counts: XmlCounts;
  /** For messages: the part's name. */
  readonly part: string;
};

export type XmlCounts = { elements: number; characters: number };

/** To be shared by all parts of one file. */
export function createXmlCounts(): XmlCounts {
  return { elements: 0, characters: 0 };
}

/** What became of one document. */
export type XmlEnd = {
  /** False when nothing that looks like an element was there. */
  readonly hasRoot: boolean;
  /** True when the text ended before its root element did. */
  readonly isCutShort: boolean;
};

export interface XmlReader {
  write(text: string): void;
  end(): XmlEnd;
}

/** No office program writes a tag, attribute or comment as long; unbounded, one would be held in memory whole. */
const tokenCharactersMax = 16 * 1024 * 1024;
const attributesMax = 4096;
/** Elements that are read, beside those for each cell that is allowed: a cell takes two or three, a paragraph five to ten. */
const elementsBase = 1_000_000;
const elementsPerCell = 10;
/** Trees are walked by recursion; more would not fit a thread's stack. */
const stackDepthMax = 1000;
/** Elements of one tree (some 150 bytes each). */
const treeNodesMax = 1_000_000;

/**
 * Reads a part of an archive through `handler`.
 * @returns null when there is no such part.
 * @throws DocumentError `limit_exceeded` naming MAX_NESTING, MAX_CHARACTERS or MAX_CELLS, `corrupt` for declared entities, and what `chunks` throws.
 */
export async function readXmlPart(
  zip: Zip,
  name: string,
  handler: XmlHandler,
  options: Omit<XmlOptions, 'part'>,
): Promise<XmlEnd | null> {
  if (zip.find(name) === null) return null;
  const reader = createXmlReader(handler, { ...options, part: name });
  let decoder: TextDecoder | null = null;
  for await (const chunk of zip.chunks(name)) {
    decoder ??= decoderFor(chunk);
    reader.write(decoder.decode(chunk, { stream: true }));
  }
  reader.write(decoder?.decode() ?? '');
  return reader.end();
}

/** A part as a tree, or null when there is none (or nothing in it). For parts that are small in any honest file. Errors as above. */
export async function readXmlTree(zip: Zip, name: string, options: Omit<XmlOptions, 'part'>): Promise<XmlNode | null> {
  const tree = createTreeBuilder(name);
  await readXmlPart(zip, name, tree.handler, options);
  return tree.root();
}

/** Reads a whole text through `handler`. Errors as above. */
export function readXmlText(text: string, handler: XmlHandler, options: XmlOptions): XmlEnd {
  const reader = createXmlReader(handler, options);
  for (let at = 0; at < text.length; at += pieceCharacters) reader.write(text.slice(at, at + pieceCharacters));
  return reader.end();
}

const pieceCharacters = 64 * 1024;

/** An event reader for text that arrives in pieces. */
export function createXmlReader(handler: XmlHandler, options: XmlOptions): XmlReader {
  const { charactersMax } = options.limits;
  const depthMax = Math.min(options.limits.depthMax, stackDepthMax);
  const names = createNames(options.namespaces);
  const stack: string[] = [];
  const { counts } = options;
  const elementsMax = elementsBase + options.limits.cellsMax * elementsPerCell;
  let written = 0;
  let writtenAtEvent = 0;
  let attributeCount = 0;
  let hasRoot = false;

  const parser = new MarkupParser(
    {
      onopentagname() {
        writtenAtEvent = written;
        attributeCount = 0;
      },
      onattribute() {
        if (++attributeCount > attributesMax) {
          throw new DocumentError('corrupt', `The part ${options.part} has an element with more than ${attributesMax} attributes`);
        }
      },
      onopentag(raw, attributes) {
        hasRoot = true;
        const element = names.enter(raw, attributes);
        stack.push(element.name);
        if (stack.length > depthMax) {
          throw new DocumentError(
            'limit_exceeded',
            `The part ${options.part} nests deeper than ${depthMax} elements (MAX_NESTING)`,
          );
        }
        if (++counts.elements > elementsMax) {
          throw new DocumentError(
            'limit_exceeded',
            `The file has more than ${elementsMax} XML elements (a million, and ${elementsPerCell} for each cell of MAX_CELLS)`,
          );
        }
        handler.open(element.name, element.attributes);
      },
      ontext(data) {
        writtenAtEvent = written;
        if (stack.length === 0) return;
        counts.characters += data.length;
        if (counts.characters > charactersMax) {
          throw new DocumentError('limit_exceeded', `The file has more than ${charactersMax} characters of text (MAX_CHARACTERS)`);
        }
        handler.text?.(data);
      },
      onclosetag() {
        writtenAtEvent = written;
        names.leave();
        const name = stack.pop();
        if (name !== undefined) handler.close(name);
      },
      oncomment() {
        writtenAtEvent = written;
      },
      onprocessinginstruction(name, data) {
        writtenAtEvent = written;
        if (name.toLowerCase() === '!doctype' && /<!ENTITY/i.test(data)) {
          throw new DocumentError('corrupt', `The part ${options.part} declares XML entities, which are not supported`);
        }
      },
    },
    { xmlMode: true, decodeEntities: true },
  );

  return {
    write(text) {
      written += text.length;
      parser.write(text);
      if (written - writtenAtEvent > tokenCharactersMax) {
        throw new DocumentError(
          'corrupt',
          `The part ${options.part} has one tag or comment of more than ${tokenCharactersMax} characters`,
        );
      }
    },
    end() {
      const isCutShort = stack.length > 0;
      parser.end();
      return { hasRoot, isCutShort };
    },
  };
}

/** A decoder by byte order mark, then by XML declaration, else UTF-8 (XML 1.0, appendix F). */
function decoderFor(head: Buffer): TextDecoder {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le');
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be');
  if (head[0] === 0x3c && head[1] === 0) return new TextDecoder('utf-16le');
  if (head[0] === 0 && head[1] === 0x3c) return new TextDecoder('utf-16be');
  const declared = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head.toString('latin1', 0, 256))?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(/^utf-?16/i.test(declared) ? 'utf-8' : declared);
  } catch {
    return new TextDecoder('utf-8');
  }
}

type Names = { enter(raw: string, attributes: Attributes): { name: string; attributes: Attributes }; leave(): void };

/**
 * Prefixes in scope. Nearly every element declares none and is answered from a cache that lives as long as its scope. A scope holds
 * what its element declares and no more: thousands of prefixes at the root must not be copied for each element that adds one.
 */
function createNames(table: NamespaceTable): Names {
  type Scope = {
    readonly own: ReadonlyMap<string, string>;
    readonly outer: Scope | null;
    readonly cache: Map<string, string>;
    readonly isPlain: boolean;
  };
  const base: Scope = { own: new Map([['xml', 'xml']]), outer: null, cache: new Map(), isPlain: true };
  const scopes: Scope[] = [base];
  let current = base;

  return {
    enter(raw, attributes) {
      current = scopeWith(attributes) ?? current;
      scopes.push(current);
      return { name: nameOf(raw), attributes: current.isPlain ? attributes : renamed(attributes) };
    },
    leave() {
      scopes.pop();
      current = scopes.at(-1) ?? base;
    },
  };

  function scopeWith(attributes: Attributes): Scope | null {
    let own: Map<string, string> | null = null;
    let { isPlain } = current;
    for (const key in attributes) {
      if (!key.startsWith('xmlns')) continue;
      if (key !== 'xmlns' && key[5] !== ':') continue;
      own ??= new Map();
      const prefix = key.slice(6);
      const known = table[attributes[key] ?? ''] ?? '_';
      own.set(prefix, known);
      isPlain &&= prefix === '' || prefix === known || known === '_';
    }
    return own === null ? null : { own, outer: current, cache: new Map(), isPlain };
  }

  function prefixOf(written: string): string | undefined {
    for (let scope: Scope | null = current; scope !== null; scope = scope.outer) {
      const known = scope.own.get(written);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  function nameOf(raw: string): string {
    const known = current.cache.get(raw);
    if (known !== undefined) return known;
    const colon = raw.indexOf(':');
    const prefix = prefixOf(colon === -1 ? '' : raw.slice(0, colon));
    const name = prefix === undefined ? raw : `${prefix}:${raw.slice(colon + 1)}`;
    if (current.cache.size < 10_000) current.cache.set(raw, name);
    return name;
  }

  /** An attribute without a prefix is in no namespace (Namespaces in XML, 6.2). */
  function renamed(attributes: Attributes): Attributes {
    const result: Record<string, string> = {};
    for (const key in attributes) result[key.includes(':') ? nameOf(key) : key] = attributes[key]!;
    return result;
  }
}

export type XmlNode = { readonly name: string; readonly attributes: Attributes; readonly children: (XmlNode | string)[] };

export interface TreeBuilder {
  readonly handler: XmlHandler;
  /** How many elements are open. */
  readonly depth: number;
  /** The first element that was closed at depth 0 (or is still open), and forgets it; null when there is none. */
  root(): XmlNode | null;
}

/** Builds a tree of what it is handed. @throws DocumentError `limit_exceeded` past a million elements. */
export function createTreeBuilder(part: string): TreeBuilder {
  let root: XmlNode | null = null;
  let nodes = 0;
  const stack: XmlNode[] = [];
  return {
    handler: {
      open(name, attributes) {
        if (++nodes > treeNodesMax) {
          throw new DocumentError(
            'limit_exceeded',
            `The part ${part} has more than ${treeNodesMax} elements (a fixed limit, in addition to MAX_CELLS)`,
          );
        }
        const node: XmlNode = { name, attributes, children: [] };
        if (stack.length === 0) root ??= node;
        else stack.at(-1)!.children.push(node);
        stack.push(node);
      },
      text(data) {
        stack.at(-1)?.children.push(data);
      },
      close() {
        stack.pop();
      },
    },
    get depth() {
      return stack.length;
    },
    root() {
      const done = root;
      root = null;
      nodes = 0;
      return done;
    },
  };
}

/** Takes prefixes off names, for formats whose writers use several namespaces for the same, or none: `ofd:TextCode` → `TextCode`. */
export function withLocalNames(handler: XmlHandler): XmlHandler {
  const local = (name: string): string => name.slice(name.indexOf(':') + 1);
  return {
    open: (name, attributes) => handler.open(local(name), attributes),
    text: (data) => handler.text?.(data),
    close: (name) => handler.close(local(name)),
  };
}

/** Hands the content of a tree to a handler as if it were read just now. */
export function replay(node: XmlNode, handler: XmlHandler): void {
  for (const each of node.children) {
    if (typeof each === 'string') {
      handler.text?.(each);
      continue;
    }
    handler.open(each.name, each.attributes);
    replay(each, handler);
    handler.close(each.name);
  }
}

/** The first child element of that name. */
export function child(node: XmlNode | null | undefined, name: string): XmlNode | undefined {
  return node?.children.find((each): each is XmlNode => typeof each !== 'string' && each.name === name);
}

/** The child elements, of one name where it is given. */
export function elements(node: XmlNode | null | undefined, name?: string): XmlNode[] {
  return (node?.children ?? []).filter(
    (each): each is XmlNode => typeof each !== 'string' && (name === undefined || each.name === name),
  );
}

/** The element at the end of a path of first children. */
export function descend(node: XmlNode | null | undefined, ...path: readonly string[]): XmlNode | undefined {
  let at = node ?? undefined;
  for (const name of path) at = child(at, name);
  return at;
}

/** All elements of that name below `node`, in document order; not those inside one found. */
export function* descendants(node: XmlNode | null | undefined, name: string): Generator<XmlNode> {
  for (const each of node?.children ?? []) {
    if (typeof each === 'string') continue;
    if (each.name === name) yield each;
    else yield* descendants(each, name);
  }
}

/** All text below `node`. */
export function textOf(node: XmlNode | string | null | undefined): string {
  if (node === null || node === undefined) return '';
  return typeof node === 'string' ? node : node.children.map(textOf).join('');
}
