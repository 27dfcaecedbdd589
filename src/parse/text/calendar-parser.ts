/** Calendars (iCalendar, .ics): each event, task and journal entry under its summary, with when, where and who. */
import { readText } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { type ContentLine, contentLines, fieldsOf, plainValue } from './content-lines.ts';
import { normalizeLines } from './encoding.ts';
import { writeParagraphs } from './text-parser.ts';

export function createCalendarParser(): Parser {
  return { parse };
}

/** What is written of an entry; alarms and time zones inside of it have none. */
type Entry = { readonly kind: string; readonly facts: Map<string, string[]>; summary: string; readonly texts: string[] };

/** What each is called, by its name in RFC 5545, section 3.6; in a file that name stands behind a V, in capitals, without its hyphen. */
const components = { event: 'Event', 'to-do': 'Task', journal: 'Entry' };
const kinds: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(components).map(([component, kind]) => [`V${component.replace('-', '').toUpperCase()}`, kind]),
);

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(readText(input));
  const builder = createMarkdownBuilder(input.limits);
  const open: string[] = [];
  let entry: Entry | null = null;
  let title: string | null = null;
  for (const line of contentLines(text)) {
    const part = line.value.trim().toUpperCase();
    if (line.name === 'BEGIN') {
      open.push(part);
      if (kinds[part] !== undefined) entry = { kind: kinds[part], facts: new Map(), summary: '', texts: [] };
    } else if (line.name === 'END') {
      open.length = Math.max(0, open.lastIndexOf(part));
      if (entry !== null && kinds[part] !== undefined) {
        writeEntry(entry, builder);
        entry = null;
      }
    } else if (entry !== null && kinds[open.at(-1) ?? ''] !== undefined) addTo(entry, line);
    else if (line.name === 'X-WR-CALNAME') title ??= plainValue(line.value) || null;
  }
  if (entry !== null) writeEntry(entry, builder);
  return { mediaType: 'text/calendar', title, author: null, language: null, pages: null, ...builder.finish(), warnings: [] };
}

/** Facts by the name of the property, in the order in which they are shown. */
const labels: Readonly<Record<string, string>> = {
  DTSTART: 'Begins',
  DTEND: 'Ends',
  DUE: 'Due',
  DURATION: 'Lasts',
  RRULE: 'Repeats',
  LOCATION: 'Location',
  ORGANIZER: 'Organizer',
  ATTENDEE: 'Attendees',
  CONTACT: 'Contact',
  STATUS: 'Status',
  PRIORITY: 'Priority',
  'PERCENT-COMPLETE': 'Percent complete',
  COMPLETED: 'Completed',
  CATEGORIES: 'Categories',
  RESOURCES: 'Resources',
  URL: 'URL',
};
const valuesMax = 1000;

function addTo(entry: Entry, line: ContentLine): void {
  if (line.name === 'SUMMARY') entry.summary ||= plainValue(line.value).replace(/\s+/g, ' ');
  else if (line.name === 'DESCRIPTION' || line.name === 'COMMENT') entry.texts.push(plainValue(line.value));
  else if (labels[line.name] !== undefined) {
    const values = entry.facts.get(line.name) ?? [];
    if (values.length < valuesMax) values.push(shown(line));
    entry.facts.set(line.name, values);
  }
}

function shown({ name, parameters, value }: ContentLine): string {
  if (name === 'ATTENDEE' || name === 'ORGANIZER') {
    const address = value.replace(/^mailto:/i, '').trim();
    const person = parameters['CN']?.trim() ?? '';
    return person === '' || person === address ? address : `${person} (${address})`;
  }
  if (name === 'CATEGORIES' || name === 'RESOURCES') return fieldsOf(value, ',').join(', ');
  return timeText(plainValue(value), parameters['TZID']);
}

/** `20260314T150000Z` as people read it, with its zone. */
function timeText(value: string, zone: string | undefined): string {
  const found = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(?:\d\d)?(Z?))?$/.exec(value);
  if (found === null) return value;
  const [, year, month, day, hour, minute, isUtc] = found;
  const date = `${year}-${month}-${day}`;
  if (hour === undefined) return date;
  return `${date} ${hour}:${minute}${isUtc === 'Z' ? ' UTC' : zone === undefined ? '' : ` (${zone})`}`;
}

function writeEntry({ kind, facts, summary, texts }: Entry, builder: MarkdownBuilder): void {
  builder.heading(1, summary === '' ? kind : summary);
  const rows = Object.keys(labels).flatMap((name) => {
    const values = (facts.get(name) ?? []).filter((value) => value !== '');
    return values.length === 0 ? [] : [`${labels[name]}: ${values.join(', ').replace(/\s+/g, ' ')}`];
  });
  builder.list(rows.map((text) => ({ text, depth: 0, ordered: false })));
  for (const text of texts) writeParagraphs(text, builder);
}
