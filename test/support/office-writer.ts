/** Small valid office files for tests: DOCX, PPTX, XLSX, OpenDocument, EPUB; real formats, as little of them as programs accept. */
import { makeZip, type ZipMember } from './zip-writer.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const officeNs = 'http://schemas.openxmlformats.org';
const relType = `${officeNs}/officeDocument/2006/relationships`;
export const wordNamespaces = [
  `xmlns:w="${officeNs}/wordprocessingml/2006/main"`,
  `xmlns:r="${relType}"`,
  `xmlns:m="${officeNs}/officeDocument/2006/math"`,
  `xmlns:a="${officeNs}/drawingml/2006/main"`,
  `xmlns:wp="${officeNs}/drawingml/2006/wordprocessingDrawing"`,
  `xmlns:c="${officeNs}/drawingml/2006/chart"`,
  `xmlns:dgm="${officeNs}/drawingml/2006/diagram"`,
  'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"',
  'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"',
  'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"',
  'xmlns:v="urn:schemas-microsoft-com:vml"',
].join(' ');

export type Relationship = { readonly id: string; readonly type: string; readonly target: string; readonly external?: boolean };

export type DocxParts = {
  /** Plain text, or a paragraph in a style (`Heading1`, `ListBullet` …). */
  readonly paragraphs?: readonly (string | { readonly text: string; readonly style?: string })[];
  /** WordprocessingML after the paragraphs. */ readonly body?: string;
  readonly title?: string;
  readonly author?: string;
  /** Content of `w:styles`, instead of Heading 1–3. */ readonly styles?: string;
  /** Content of `w:numbering`. */ readonly numbering?: string;
  readonly relationships?: readonly Relationship[];
  readonly members?: readonly ZipMember[];
};

/** A Word document. */
export function makeDocx(parts: DocxParts): Buffer {
  const paragraphs = (parts.paragraphs ?? []).map((each) => {
    const { text, style } = typeof each === 'string' ? { text: each } : each;
    return wordParagraph(text, style);
  });
  const numbering = parts.numbering === undefined ? [] : [{ id: 'num', type: 'numbering', target: 'numbering.xml' }];
  return makeZip([
    ...packageParts('word/document.xml', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml', parts),
    {
      name: 'word/document.xml',
      data: `${declaration}<w:document ${wordNamespaces}><w:body>${paragraphs.join('')}${parts.body ?? ''}</w:body></w:document>`,
    },
    relationshipsPart('word/document.xml', [
      { id: 'styles', type: 'styles', target: 'styles.xml' },
      ...numbering,
      ...(parts.relationships ?? []),
    ]),
    { name: 'word/styles.xml', data: `${declaration}<w:styles ${wordNamespaces}>${parts.styles ?? headingStyles()}</w:styles>` },
    ...(parts.numbering === undefined
      ? []
      : [{ name: 'word/numbering.xml', data: `${declaration}<w:numbering ${wordNamespaces}>${parts.numbering}</w:numbering>` }]),
    ...(parts.members ?? []),
  ]);
}

/** `w:p` with one run. */
export function wordParagraph(text: string, style?: string): string {
  const properties = style === undefined ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r></w:p>`;
}

function headingStyles(): string {
  return [1, 2, 3]
    .map(
      (level) =>
        `<w:style w:type="paragraph" w:styleId="Heading${level}"><w:name w:val="heading ${level}"/><w:pPr><w:outlineLvl w:val="${level - 1}"/></w:pPr></w:style>`,
    )
    .join('');
}

export type SlideParts = {
  readonly title?: string;
  readonly lines?: readonly string[];
  /** DrawingML shapes after those. */ readonly shapes?: string;
  readonly notes?: string;
  readonly hidden?: boolean;
  readonly relationships?: readonly Relationship[];
};

/** A presentation; the slides' part names run against their order, so that only the presentation tells it. */
export function makePptx(parts: {
  readonly slides: readonly SlideParts[];
  readonly title?: string;
  readonly author?: string;
  readonly members?: readonly ZipMember[];
}): Buffer {
  const count = parts.slides.length;
  const ns = `xmlns:p="${officeNs}/presentationml/2006/main" xmlns:a="${officeNs}/drawingml/2006/main" xmlns:r="${relType}" xmlns:c="${officeNs}/drawingml/2006/chart" xmlns:dgm="${officeNs}/drawingml/2006/diagram"`;
  const slideMembers = parts.slides.flatMap((slide, index): ZipMember[] => {
    const part = `ppt/slides/slide${count - index}.xml`;
    const relationships: Relationship[] = [...(slide.relationships ?? [])];
    if (slide.notes !== undefined)
      relationships.push({ id: 'notes', type: 'notesSlide', target: `../notesSlides/notes${index}.xml` });
    const title = slide.title === undefined ? '' : pptShape(slide.title, '<p:ph type="title"/>');
    const body = slide.lines === undefined ? '' : pptShape(slide.lines.join('\n'), '<p:ph idx="1"/>');
    return [
      {
        name: part,
        data: `${declaration}<p:sld ${ns}${slide.hidden === true ? ' show="0"' : ''}><p:cSld><p:spTree>${title}${body}${slide.shapes ?? ''}</p:spTree></p:cSld></p:sld>`,
      },
      relationshipsPart(part, relationships),
      ...(slide.notes === undefined
        ? []
        : [
            {
              name: `ppt/notesSlides/notes${index}.xml`,
              data: `${declaration}<p:notes ${ns}><p:cSld><p:spTree>${pptShape(slide.notes, '<p:ph type="body" idx="1"/>')}${pptShape('7', '<p:ph type="sldNum"/>')}</p:spTree></p:cSld></p:notes>`,
            },
          ]),
    ];
  });
  const ids = parts.slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="s${index}"/>`).join('');
  return makeZip([
    ...packageParts(
      'ppt/presentation.xml',
      'application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml',
      parts,
    ),
    {
      name: 'ppt/presentation.xml',
      data: `${declaration}<p:presentation ${ns}><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
    },
    relationshipsPart(
      'ppt/presentation.xml',
      parts.slides.map((_, index) => ({ id: `s${index}`, type: 'slide', target: `slides/slide${count - index}.xml` })),
    ),
    ...slideMembers,
    ...(parts.members ?? []),
  ]);
}

/** `p:sp`, one paragraph a line. */
export function pptShape(text: string, placeholder = ''): string {
  const lines = text.split('\n').map((line) => `<a:p><a:r><a:t>${escapeXml(line)}</a:t></a:r></a:p>`);
  return `<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:cNvSpPr/><p:nvPr>${placeholder}</p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>${lines.join('')}</p:txBody></p:sp>`;
}

/** A cell: text, a number, a formula's cached value, or what is to stand inside `<c …>` with its attributes. */
export type CellParts = string | number | boolean | null | { readonly xml: string; readonly attributes?: string };

export type SheetParts = {
  readonly name: string;
  readonly rows: readonly (readonly CellParts[])[];
  readonly state?: 'hidden' | 'veryHidden';
  /** `A1:B2` ranges. */ readonly merged?: readonly string[];
  /** Whole `sheetData` instead of the rows. */ readonly sheetData?: string;
  /** Elements behind all others. */ readonly after?: string;
  readonly relationships?: readonly Relationship[];
};

/** A workbook. Texts go to the shared strings. */
export function makeXlsx(parts: {
  readonly sheets: readonly SheetParts[];
  /** Content of `styleSheet`. */ readonly styles?: string;
  readonly sharedStrings?: string;
  readonly date1904?: boolean;
  readonly title?: string;
  readonly author?: string;
  readonly members?: readonly ZipMember[];
}): Buffer {
  const ns = `xmlns="${officeNs}/spreadsheetml/2006/main" xmlns:r="${relType}"`;
  const strings: string[] = [];
  const sheetMembers = parts.sheets.flatMap((sheet, index): ZipMember[] => {
    const part = `xl/worksheets/sheet${index + 1}.xml`;
    const data =
      sheet.sheetData ?? `<sheetData>${sheet.rows.map((row, at) => sheetRow(row, at + 1, strings)).join('')}</sheetData>`;
    const merged = (sheet.merged ?? []).map((range) => `<mergeCell ref="${range}"/>`).join('');
    return [
      {
        name: part,
        data: `${declaration}<worksheet ${ns}>${data}${merged === '' ? '' : `<mergeCells>${merged}</mergeCells>`}${sheet.after ?? ''}</worksheet>`,
      },
      relationshipsPart(part, sheet.relationships ?? []),
    ];
  });
  const sheets = parts.sheets.map(
    (sheet, index) =>
      `<sheet name="${escapeXml(sheet.name)}" sheetId="${index + 1}" r:id="s${index}"${sheet.state === undefined ? '' : ` state="${sheet.state}"`}/>`,
  );
  return makeZip([
    ...packageParts('xl/workbook.xml', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml', parts),
    {
      name: 'xl/workbook.xml',
      data: `${declaration}<workbook ${ns}><workbookPr${parts.date1904 === true ? ' date1904="1"' : ''}/><sheets>${sheets.join('')}</sheets></workbook>`,
    },
    relationshipsPart('xl/workbook.xml', [
      { id: 'strings', type: 'sharedStrings', target: 'sharedStrings.xml' },
      { id: 'styles', type: 'styles', target: 'styles.xml' },
      ...parts.sheets.map((_, index) => ({ id: `s${index}`, type: 'worksheet', target: `worksheets/sheet${index + 1}.xml` })),
    ]),
    {
      name: 'xl/sharedStrings.xml',
      data: `${declaration}<sst ${ns}>${parts.sharedStrings ?? strings.map((text) => `<si><t>${escapeXml(text)}</t></si>`).join('')}</sst>`,
    },
    { name: 'xl/styles.xml', data: `${declaration}<styleSheet ${ns}>${parts.styles ?? ''}</styleSheet>` },
    ...sheetMembers,
    ...(parts.members ?? []),
  ]);
}

function sheetRow(row: readonly CellParts[], number: number, strings: string[]): string {
  return `<row r="${number}">${row.map((cell, column) => sheetCell(cell, `${columnName(column)}${number}`, strings)).join('')}</row>`;
}

function sheetCell(cell: CellParts, reference: string, strings: string[]): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return `<c r="${reference}" t="s"><v>${strings.push(cell) - 1}</v></c>`;
  if (typeof cell === 'number') return `<c r="${reference}"><v>${cell}</v></c>`;
  if (typeof cell === 'boolean') return `<c r="${reference}" t="b"><v>${cell ? 1 : 0}</v></c>`;
  return `<c r="${reference}" ${cell.attributes ?? ''}>${cell.xml}</c>`;
}

function columnName(index: number): string {
  return index < 26
    ? String.fromCharCode(65 + index)
    : columnName(Math.floor(index / 26) - 1) + String.fromCharCode(65 + (index % 26));
}

export const odfNamespaces = ['office', 'text', 'table', 'draw', 'style', 'meta', 'presentation', 'number', 'chart']
  .map((name) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name === 'number' ? 'datastyle' : name}:1.0"`)
  .concat('xmlns:dc="http://purl.org/dc/elements/1.1/"', 'xmlns:xlink="http://www.w3.org/1999/xlink"')
  .concat('xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"')
  .concat('xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"')
  .join(' ');

export type OdfParts = {
  readonly kind: 'text' | 'spreadsheet' | 'presentation';
  /** What stands inside `office:text` (or `office:spreadsheet`, `office:presentation`). */ readonly body: string;
  readonly automaticStyles?: string;
  readonly title?: string;
  readonly author?: string;
  readonly members?: readonly ZipMember[];
};

/** An OpenDocument file. */
export function makeOdf(parts: OdfParts): Buffer {
  const mediaType = `application/vnd.oasis.opendocument.${parts.kind}`;
  return makeZip([
    { name: 'mimetype', data: mediaType, stored: true },
    {
      name: 'META-INF/manifest.xml',
      data: `${declaration}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="${mediaType}"/></manifest:manifest>`,
    },
    {
      name: 'content.xml',
      data: `${declaration}<office:document-content ${odfNamespaces}><office:automatic-styles>${parts.automaticStyles ?? ''}</office:automatic-styles><office:body><office:${parts.kind}>${parts.body}</office:${parts.kind}></office:body></office:document-content>`,
    },
    {
      name: 'meta.xml',
      data: `${declaration}<office:document-meta ${odfNamespaces}><office:meta><dc:title>${escapeXml(parts.title ?? '')}</dc:title><dc:creator>${escapeXml(parts.author ?? '')}</dc:creator></office:meta></office:document-meta>`,
    },
    ...(parts.members ?? []),
  ]);
}

/** The same in one file of XML; `before` stands between settings and body (`office:master-styles` …). */
export function makeFlatOdf(parts: Omit<OdfParts, 'members'> & { readonly before?: string }): string {
  return (
    `${declaration}<office:document ${odfNamespaces} office:mimetype="application/vnd.oasis.opendocument.${parts.kind}">` +
    `<office:meta><dc:title>${escapeXml(parts.title ?? '')}</dc:title><dc:creator>${escapeXml(parts.author ?? '')}</dc:creator></office:meta>` +
    '<office:settings><config:item xmlns:config="urn:x">22860</config:item></office:settings>' +
    `<office:automatic-styles>${parts.automaticStyles ?? ''}</office:automatic-styles>${parts.before ?? ''}` +
    `<office:body><office:${parts.kind}>${parts.body}</office:${parts.kind}></office:body></office:document>`
  );
}

/** A book; the chapters' file names run against the spine, so that only the spine tells their order. */
export function makeEpub(parts: {
  readonly chapters: readonly { readonly body: string; readonly linear?: boolean }[];
  readonly title?: string;
  readonly author?: string;
  readonly language?: string;
  /** Entries of the navigation document: chapter index and label. */
  readonly nav?: readonly { readonly chapter: number; readonly label: string }[];
  /** Ids in the order of reading behind those of the chapters; nothing has them. */
  readonly unknown?: readonly string[];
  readonly members?: readonly ZipMember[];
}): Buffer {
  const count = parts.chapters.length;
  const file = (index: number) => `text/c${count - index}.xhtml`;
  const nav = (parts.nav ?? []).map((entry) => `<li><a href="${file(entry.chapter)}">${escapeXml(entry.label)}</a></li>`).join('');
  const xhtml = (body: string) =>
    `${declaration}<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title></head><body>${body}</body></html>`;
  const manifest = parts.chapters.map(
    (_, index) => `<item id="c${index}" href="${file(index)}" media-type="application/xhtml+xml"/>`,
  );
  const spine = parts.chapters.map(
    (chapter, index) => `<itemref idref="c${index}"${chapter.linear === false ? ' linear="no"' : ''}/>`,
  );
  return makeZip([
    { name: 'mimetype', data: 'application/epub+zip', stored: true },
    {
      name: 'META-INF/container.xml',
      data: `${declaration}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
    },
    {
      name: 'OPS/book.opf',
      data: `${declaration}<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0"><metadata><dc:title>${escapeXml(parts.title ?? '')}</dc:title><dc:creator>${escapeXml(parts.author ?? '')}</dc:creator><dc:language>${parts.language ?? 'en'}</dc:language></metadata><manifest><item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>${manifest.join('')}</manifest><spine>${spine.join('')}${(parts.unknown ?? []).map((id) => `<itemref idref="${id}"/>`).join('')}</spine></package>`,
    },
    { name: 'OPS/nav.xhtml', data: xhtml(`<nav epub:type="toc"><ol>${nav}</ol></nav>`) },
    ...parts.chapters.map((chapter, index) => ({ name: `OPS/${file(index)}`, data: xhtml(chapter.body) })),
    ...(parts.members ?? []),
  ]);
}

/** Content types, the package's relationships and core properties of an OOXML file. */
function packageParts(
  main: string,
  contentType: string,
  properties: { readonly title?: string; readonly author?: string },
): ZipMember[] {
  return [
    {
      name: '[Content_Types].xml',
      data: `${declaration}<Types xmlns="${officeNs}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/${main}" ContentType="${contentType}"/></Types>`,
    },
    {
      name: '_rels/.rels',
      data: `${declaration}<Relationships xmlns="${officeNs}/package/2006/relationships"><Relationship Id="rId1" Type="${relType}/officeDocument" Target="${main}"/><Relationship Id="rId2" Type="${officeNs}/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`,
    },
    {
      name: 'docProps/core.xml',
      data: `${declaration}<cp:coreProperties xmlns:cp="${officeNs}/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escapeXml(properties.title ?? '')}</dc:title><dc:creator>${escapeXml(properties.author ?? '')}</dc:creator></cp:coreProperties>`,
    },
  ];
}

/** The `.rels` of a part; types are the last word of the official URI. */
export function relationshipsPart(part: string, relationships: readonly Relationship[]): ZipMember {
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const items = relationships.map(
    (each) =>
      `<Relationship Id="${each.id}" Type="${relType}/${each.type}" Target="${escapeXml(each.target)}"${each.external === true ? ' TargetMode="External"' : ''}/>`,
  );
  return {
    name: `${folder}_rels/${part.slice(folder.length)}.rels`,
    data: `${declaration}<Relationships xmlns="${officeNs}/package/2006/relationships">${items.join('')}</Relationships>`,
  };
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
