/** Presentations (PPTX, PPTM, PPSX, POTX): one page a slide, in the order of the show, with notes and comments. */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { child, descend, descendants, elements, textOf, type XmlNode } from '../../containers/xml.ts';
import { noParts } from '../../containers/parts.ts';
import { createBlockWriter, type BlockWriter } from '../block-writer.ts';
import { readDrawings } from '../drawing.ts';
import { drawingText } from '../drawing-text.ts';
import { writeEmbeddedFiles } from '../embedded-files.ts';
import { openPackage, type OfficePackage } from '../office-package.ts';
import { readSlideMaster, type Masters, type SlideMaster } from './slide-bullets.ts';
import { placeholderOf } from './slide-bullets.ts';
import { writeShapes } from './slide-shapes.ts';

const kind = {
  name: 'presentation',
  usualPart: 'ppt/presentation.xml',
  mediaType: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
};

/** A parser for presentations. Pages are slides; a slide's title is its heading. `parts` reads files inside of one. */
export function createPptxParser(parts: Parser = noParts): Parser {
  return {
    async parse(input) {
      const office = await openPackage(input, kind);
      try {
        return await readPresentation(office, input, parts);
      } finally {
        office.close();
      }
    },
  };
}

async function readPresentation(office: OfficePackage, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  const slides = await slideParts(office);
  if (slides.length > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The presentation has more than ${input.limits.pagesMax} slides (MAX_PAGES)`);
  }
  const builder = createMarkdownBuilder(input.limits);
  let page = 0;
  const out = createBlockWriter(builder, () => ({ page }));
  const reader = createSlideReader(office, await readAuthors(office));
  const hidden: number[] = [];
  for (const part of slides) {
    page++;
    if (part !== null && (await reader.write(part, out)) === 'hidden') hidden.push(page);
    out.flush();
    input.onProgress(page, slides.length);
  }
  const warnings: string[] = [];
  const parts = slides.filter((part) => part !== null);
  await writeEmbeddedFiles(office, parts, builder, { input, parser, warnings, level: 1 });
  const { markdown, blocks } = builder.finish();
  return {
    mediaType: office.mediaType,
    title: office.title,
    author: office.author,
    language: office.language,
    pages: slides.length,
    markdown,
    blocks,
    warnings: [
      ...office.warnings,
      ...warnings,
      ...(hidden.length === 0 ? [] : [`Hidden slides were read too: ${hidden.slice(0, 50).join(', ')}`]),
    ],
  };
}

/** The slides' parts in the order of the show, null for one that is missing; by number where the presentation does not list them. */
async function slideParts(office: OfficePackage): Promise<(string | null)[]> {
  const root = await office.tree(office.mainPart);
  if (root === null) throw new DocumentError('corrupt', 'The presentation is damaged: its list of slides cannot be read');
  const relations = await office.relationsOf(office.mainPart);
  const listed = elements(child(root, 'p:sldIdLst'), 'p:sldId').map(({ attributes }) => {
    const relation = relations.get(attributes['r:id'] ?? '');
    return relation?.type === 'slide' ? relation.target : null;
  });
  // A slide stands once; a list that names one ten thousand times is an attack.
  const seen = new Set<string>();
  const once = listed.filter((part) => part === null || (!seen.has(part) && seen.add(part)));
  if (once.some((part) => part !== null)) return once;
  const there = office.partsIn('ppt/slides/');
  if (there.length === 0 && listed.length > 0)
    throw new DocumentError('corrupt', 'The presentation is damaged: the parts of its slides are missing');
  return there;
}

/** Of a name, which stands before each of its comments. */
const authorCharactersMax = 200;

/** Names of comments' authors by id, old and new. */
async function readAuthors(office: OfficePackage): Promise<ReadonlyMap<string, string>> {
  const authors = new Map<string, string>();
  for (const { type, target } of (await office.relationsOf(office.mainPart)).values()) {
    if (type !== 'commentAuthors' && type !== 'authors') continue;
    for (const each of elements(await office.tree(target))) {
      authors.set(each.attributes['id'] ?? '', (each.attributes['name'] ?? '').slice(0, authorCharactersMax));
    }
  }
  return authors;
}

interface SlideReader {
  write(part: string, out: BlockWriter): Promise<'shown' | 'hidden'>;
}

function createSlideReader(office: OfficePackage, authors: ReadonlyMap<string, string>): SlideReader {
  const known = new Map<string, SlideMaster>();
  const repeats = createRepeats();
  const running = new Set<string>();

  async function masterOf(
    part: string,
    type: 'slideLayout' | 'slideMaster',
  ): Promise<{ part: string; master: SlideMaster } | null> {
    const target = await office.relatedPart(part, type);
    if (target === null) return null;
    const master = known.get(target) ?? readSlideMaster(await office.tree(target));
    known.set(target, master);
    return { part: target, master };
  }

  async function mastersOf(part: string): Promise<Masters> {
    const layout = await masterOf(part, 'slideLayout');
    const master = layout === null ? null : await masterOf(layout.part, 'slideMaster');
    return { layout: layout?.master ?? null, master: master?.master ?? null };
  }

  async function writeNotes(part: string, out: BlockWriter): Promise<void> {
    const target = await office.relatedPart(part, 'notesSlide');
    if (target === null) return;
    const bodies = [...descendants(await office.tree(target), 'p:sp')].filter(
      (shape) => placeholderOf(shape)?.attributes['type'] === 'body',
    );
    const lines = bodies.flatMap((shape) => drawingText(child(shape, 'p:txBody')));
    lines.forEach((line, at) => out.paragraph(at === 0 ? `Notes: ${line}` : line));
  }

  async function writeComments(part: string, out: BlockWriter): Promise<void> {
    for (const { type, target } of (await office.relationsOf(part)).values()) {
      if (type !== 'comments') continue;
      for (const comment of elements(await office.tree(target))) writeComment(comment, out);
    }
  }

  /** `p:cm` with `p:text`, or since 2018 `p188:cm` with a text body and replies. */
  function writeComment(comment: XmlNode, out: BlockWriter): void {
    const text = textOf(child(comment, 'p:text')).trim() || drawingText(child(comment, 'p188:txBody')).join(' ');
    const author = authors.get(comment.attributes['authorId'] ?? '') ?? '';
    if (text !== '') out.paragraph(author === '' ? `Comment: ${text}` : `Comment (${author}): ${text}`);
    for (const reply of elements(child(comment, 'p188:replyLst'), 'p188:reply')) writeComment(reply, out);
  }

  return {
    async write(part, out) {
      const slide = await office.tree(part);
      const shapes = descend(slide, 'p:cSld', 'p:spTree');
      out.heading(1, titleOf(shapes));
      if (shapes !== undefined) {
        writeShapes(shapes, {
          out,
          masters: await mastersOf(part),
          drawings: await readDrawings(office, part),
          links: await office.linksOf(part),
          cellsMax: office.limits.cellsMax,
          repeats,
          running,
        });
      }
      await writeNotes(part, out);
      await writeComments(part, out);
      return slide?.attributes['show'] === '0' || slide?.attributes['show'] === 'false' ? 'hidden' : 'shown';
    },
  };
}

function titleOf(shapes: XmlNode | undefined): string {
  for (const shape of descendants(shapes, 'p:sp')) {
    const type = placeholderOf(shape)?.attributes['type'];
    if (type === 'title' || type === 'ctrTitle') return drawingText(child(shape, 'p:txBody')).join(' ');
  }
  return '';
}
