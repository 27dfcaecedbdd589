/** What is said of every document that `ingest` and `watch` bring: as options of the command, in an address, in a line of a batch. */
import type { Command } from 'commander';
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

/** The options, each under the name that commander makes of its flag. */
const flags: { readonly [Each in Name]: (command: Command) => Command } = {
  metadata: (command) =>
    command.option(
      '--metadata <json>',
      'of every document; null takes it away, without it each keeps its own',
      jsonObjectOrNull(aMetadata),
    ),
};
const names = Object.keys(flags) as Name[];

export function withDescriptionOptions(command: Command): Command {
  return Object.values(flags).reduce((made, add) => add(made), command);
}

/** What of the options of a command is about its documents. */
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
