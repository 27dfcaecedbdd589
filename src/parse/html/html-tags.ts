/** htmlparser2's tokenizer as three events: a tag opens, a tag closes, text. No tree, no stack: as deep as it comes, in linear time. */
import { Tokenizer } from 'htmlparser2';

export type Attributes = Readonly<Record<string, string | undefined>>;

export type TagHandler = {
  /** Lower-case name. `isEmpty`: written `<x/>` where the document is XHTML, or an element that never has content. */
  open(tag: string, attributes: Attributes, isEmpty: boolean): void;
  /** Also for tags that were never opened. */
  close(tag: string): void;
  /** Entities decoded; a run of text may come in several pieces. */
  text(data: string): void;
};

const voidTags = new Set('area base br col embed frame hr img input link meta param source track wbr'.split(' '));

/** The attributes that are ever asked for; others, a picture's data among them, are not even copied. */
const kept = new Set(
  'alt alttext aria-hidden charset class colspan content href http-equiv lang level list-type morerows name nameend namest property role rowspan selected start target type url value xml:lang'.split(
    ' ',
  ),
);
const attributeCharactersMax = 4096;

export type TagOptions = {
  /** Names are told from each other as XML does it, no element is special, and only XML's own entities are decoded: declared ones never are. */
  readonly xml?: boolean;
  /** Attributes of any name and length, where the file's facts are in them. */
  readonly allAttributes?: boolean;
};

export function readTags(html: string, handler: TagHandler, { xml = false, allAttributes = false }: TagOptions = {}): void {
  const isXhtml = xml || /^[\s\ufeff]*<\?xml\s/.test(html.slice(0, 1000));
  const isVoid = (name: string): boolean => !xml && voidTags.has(name);
  let tag = '';
  let attributes: Record<string, string | undefined> = none;
  let attribute: string | null = null;
  const charactersMax = allAttributes ? Infinity : attributeCharactersMax;

  function endOpenTag(isEmpty: boolean): void {
    if (tag !== '') handler.open(tag, attributes, isEmpty || isVoid(tag));
    tag = '';
    attributes = none;
  }

  function addToAttribute(data: string): void {
    if (attribute === null) return;
    if (attributes === none) attributes = new Written();
    const value = attributes[attribute] ?? '';
    if (value.length < charactersMax) attributes[attribute] = value + data.slice(0, charactersMax);
  }

  const tokenizer = new Tokenizer(
    { recognizeSelfClosing: isXhtml, xmlMode: xml },
    {
      onopentagname(start, end) {
        tag = nameAt(html, start, end);
      },
      onopentagend: () => endOpenTag(false),
      onselfclosingtag: () => endOpenTag(isXhtml),
      onclosetag(start, end) {
        const name = nameAt(html, start, end);
        if (name === 'br' && !xml) handler.open('br', {}, true);
        else if (!isVoid(name)) handler.close(name);
      },
      onattribname(start, end) {
        const written = end - start > (allAttributes ? 100 : 20) ? '' : html.slice(start, end).toLowerCase();
        // XLink's, by whatever prefix.
        const name = xml && !allAttributes && written.endsWith(':href') ? 'href' : written;
        attribute = (allAttributes || kept.has(name)) && attributes[name] === undefined ? name : null;
        addToAttribute('');
      },
      onattribdata: (start, end) => addToAttribute(html.slice(start, Math.min(end, start + charactersMax))),
      onattribentity: (point) => addToAttribute(String.fromCodePoint(point)),
      onattribend() {
        attribute = null;
      },
      ontext: (start, end) => handler.text(html.slice(start, end)),
      ontextentity: (point) => handler.text(String.fromCodePoint(point)),
      oncdata: (start, end, endOffset) => handler.text(html.slice(start, end - endOffset)),
      oncomment() {},
      ondeclaration() {},
      onprocessinginstruction() {},
      onend() {},
    },
  );
  tokenizer.write(html);
  tokenizer.end();
}

/** Of most tags. */
const none: Record<string, string | undefined> = Object.freeze(Object.create(null));

/** Its prototype has no names, which an attribute may have; an object without a prototype would be a hash table, which is slower. */
const Written = function () {} as unknown as new () => Record<string, string | undefined>;
Written.prototype = Object.create(null);

/** Lower case and without prefix; a name too long for any element is none. */
function nameAt(html: string, start: number, end: number): string {
  if (end - start > 60) return 'unknown';
  const name = html.slice(start, end).toLowerCase();
  return name.slice(name.lastIndexOf(':') + 1);
}
