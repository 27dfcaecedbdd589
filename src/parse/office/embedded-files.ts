/** Files that lie whole inside an office package: where its parts point to them, by which name they are known, and how they are written. */
import type { MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { type Part, partName, readPart, writePart } from '../containers/parts.ts';
import type { OfficePackage } from './office-package.ts';

export type EmbeddedFiles = {
  readonly input: ParseInput;
  /** Of all formats. */
  readonly parser: Parser;
  readonly warnings: string[];
};

/** Relationships to whole files: OLE objects, and documents that the same programs made. */
const fileRelations = new Set(['oleObject', 'package']);

/**
 * Writes what `parts` point to, each file once, under a heading of its own.
 * @param level of those headings
 */
export async function writeEmbeddedFiles(
  office: OfficePackage,
  parts: readonly string[],
  builder: MarkdownBuilder,
  { input, parser, warnings, level }: EmbeddedFiles & { readonly level: number },
): Promise<void> {
  const targets = new Set<string>();
  for (const part of parts) {
    for (const { type, target } of (await office.relationsOf(part)).values()) if (fileRelations.has(type)) targets.add(target);
  }
  for (const target of targets) {
    const part = partOf(office, target);
    await writePart(
      part,
      { input, builder, parser, warnings, kind: 'embedded file' },
      level,
      `Embedded file: ${partName(part.name)}`,
    );
  }
}

/** The documents that stand in the place of others (`w:altChunk`), by relationship. */
export async function readInsertedFiles(
  office: OfficePackage,
  part: string,
  { input, parser, warnings }: EmbeddedFiles,
): Promise<ReadonlyMap<string, ParsedDocument | null>> {
  const inserted = new Map<string, ParsedDocument | null>();
  for (const [id, { type, target }] of await office.relationsOf(part)) {
    if (type !== 'aFChunk') continue;
    inserted.set(id, await readPart(partOf(office, target), { input, parser, warnings, kind: 'inserted file' }));
  }
  return inserted;
}

function partOf(office: OfficePackage, target: string): Part {
  return { name: target.slice(target.lastIndexOf('/') + 1), mediaType: null, bytes: (bytesMax) => office.bytes(target, bytesMax) };
}
