/** What is said of every document that `ingest` and `watch` bring: as options of the command, in an address, in a line of a batch. */
import { type Command, Option } from 'commander';
import { isDeepStrictEqual } from 'node:util';
import type { DocumentRecord, BatchLine } from '../http/wire/schemas.ts';
import type { describedFields } from '../http/wire/given.ts';
import { jsonObjectOrNull } from './json-option.ts';

type Name = keyof typeof describedFields;

/** Undefined: each keeps what it has, null: it has none any more. */
export type DescriptionOptions = { readonly [Each in Name]?: BatchLine[Each] | undefined };
/** As a document or a task shows it. */
export type WireDescription = Pick<DocumentRecord, Name>;

export const aMetadata = '{"department": "hr", "year": 2026}';

const flags: { readonly [Each in Name]: () => Option } = {
  metadata: () =>
    new Option('--metadata <json>', 'for every document; null removes it; without this option each keeps its own').argParser(
      jsonObjectOrNull(aMetadata),
    ),
};
const names = Object.keys(flags) as Name[];

export function withDescriptionOptions(command: Command): Command {
  return names.reduce((made, name) => made.addOption(flags[name]()), command);
}

/** What the options of a command say of its documents. */
export function descriptionGiven(options: object): DescriptionOptions {
  const values = new Map(Object.entries(options));
  return descriptionIn(Object.fromEntries(names.map((name) => [name, values.get(flags[name]().attributeName())])));
}

/** What of larger options is about the documents. */
export function descriptionIn(options: DescriptionOptions): DescriptionOptions {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

/** As parameters of an address: text as it is, all else as JSON. */
export function descriptionQuery(options: DescriptionOptions): Record<string, string> {
  const said = Object.entries(descriptionIn(options)) as [string, unknown][];
  return Object.fromEntries(said.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}

/** Whether a document shows already what the options say. */
export function isSaidOf(document: WireDescription | null, options: DescriptionOptions): boolean {
  return names.every((name) => options[name] === undefined || isDeepStrictEqual(document?.[name], options[name]));
}
