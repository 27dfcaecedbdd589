/** Contacts (vCard, .vcf): each person or company under its name, with what is known of it. */
import { readText } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { type ContentLine, contentLines, fieldsOf, plainValue } from './content-lines.ts';
import { normalizeLines } from './encoding.ts';
import { writeParagraphs } from './text-parser.ts';

export function createContactsParser(): Parser {
  return { parse };
}

type Contact = { name: string; parts: string; readonly facts: string[]; readonly notes: string[] };

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(readText(input));
  const builder = createMarkdownBuilder(input.limits);
  let contact: Contact | null = null;
  let names = 0;
  let first: string | null = null;
  const finish = (): void => {
    if (contact === null) return;
    const name = nameOf(contact);
    if (name !== '') first = names++ === 0 ? name : null;
    writeContact(contact, name, builder);
    contact = null;
  };
  for (const line of contentLines(text)) {
    if (line.name === 'BEGIN') {
      finish();
      contact = { name: '', parts: '', facts: [], notes: [] };
    } else if (line.name === 'END') finish();
    else if (contact !== null) addTo(contact, line);
  }
  finish();
  return { mediaType: 'text/vcard', title: first, author: null, language: null, pages: null, ...builder.finish(), warnings: [] };
}

const labels: Readonly<Record<string, string>> = {
  NICKNAME: 'Nickname',
  ORG: 'Organization',
  TITLE: 'Title',
  ROLE: 'Role',
  TEL: 'Phone',
  EMAIL: 'Email',
  ADR: 'Address',
  IMPP: 'Messenger',
  URL: 'URL',
  BDAY: 'Birthday',
  ANNIVERSARY: 'Anniversary',
  CATEGORIES: 'Categories',
  RELATED: 'Related',
  LANG: 'Language',
};
const factsMax = 1000;
/** Kinds that say nothing to a reader. */
const dullKinds = new Set(['internet', 'pref', 'voice', 'quoted-printable', 'uri', 'x400']);

function addTo(contact: Contact, { name, parameters, value }: ContentLine): void {
  if (name === 'FN') contact.name ||= plainValue(value);
  else if (name === 'N') contact.parts ||= nameParts(value);
  else if (name === 'NOTE') contact.notes.push(plainValue(value));
  else if (labels[name] !== undefined && contact.facts.length < factsMax) {
    const fields = fieldsOf(value, ';').filter((field) => field !== '');
    const kind = (parameters['TYPE'] ?? '')
      .toLowerCase()
      .split(',')
      .filter((each) => each !== '' && !dullKinds.has(each));
    const shown = fields
      .join(', ')
      .replace(/^(?:tel|mailto):/i, '')
      .replace(/\s+/g, ' ');
    if (shown !== '') contact.facts.push(`${labels[name]}${kind.length === 0 ? '' : ` (${kind.join(', ')})`}: ${shown}`);
  }
}

/** Family name, given name, additional ones, what stands before and behind; Chinese, Japanese and Korean names begin with the family. */
function nameParts(value: string): string {
  const [family = '', given = '', additional = '', before = '', behind = ''] = fieldsOf(value, ';');
  const isEastern = /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]+$/u.test(family + given);
  if (isEastern) return family + given;
  return [before, given, additional, family, behind].filter((part) => part !== '').join(' ');
}

function nameOf({ name, parts }: Contact): string {
  return (name === '' ? parts : name).replace(/\s+/g, ' ').trim();
}

function writeContact(contact: Contact, name: string, builder: MarkdownBuilder): void {
  builder.heading(1, name === '' && contact.facts.length > 0 ? 'Contact' : name);
  builder.list(contact.facts.map((text) => ({ text, depth: 0, ordered: false })));
  for (const note of contact.notes) writeParagraphs(note, builder);
}
