/** Small valid OFD files for tests (GB/T 33190-2016): pages of text objects, lines, templates, annotations, seals, tags, attachments. */
import { makeZip, type ZipMember } from './zip-writer.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const ns = 'xmlns:ofd="http://www.ofdspec.org/2016"';

export type OfdTextParts = {
  /** Millimetres from the page's top left corner to the left end of the baseline. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size?: number;
  readonly deltaX?: string;
  readonly deltaY?: string;
  readonly ctm?: string;
  readonly font?: string;
  readonly id?: string;
};

/** A `TextObject` whose box begins at its baseline. */
export function ofdText({ x, y, text, size = 4, deltaX, deltaY, ctm, font = '1', id }: OfdTextParts): string {
  const attribute = (name: string, value: string | undefined): string => (value === undefined ? '' : ` ${name}="${value}"`);
  return (
    `<ofd:TextObject${attribute('ID', id)} Boundary="${x} ${y} 100 10" Font="${font}" Size="${size}"${attribute('CTM', ctm)}>` +
    `<ofd:TextCode X="0" Y="0"${attribute('DeltaX', deltaX)}${attribute('DeltaY', deltaY)}>${escapeXml(text)}</ofd:TextCode></ofd:TextObject>`
  );
}

/** A line from one point to another, in millimetres. */
export function ofdLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<ofd:PathObject Boundary="${x1} ${y1} ${x2 - x1 + 0.2} ${y2 - y1 + 0.2}" LineWidth="0.2"><ofd:AbbreviatedData>M 0 0 L ${x2 - x1} ${y2 - y1}</ofd:AbbreviatedData></ofd:PathObject>`;
}

export type OfdPageParts = {
  /** Objects of its layer. */
  readonly objects: string;
  /** Elements before its content: `ofd:Template`, `ofd:Area`. */
  readonly head?: string;
  /** `ofd:Annot` elements. */
  readonly annotations?: string;
};

export type OfdParts = {
  /** A page is its texts, a line each, or objects. */
  readonly pages: readonly (readonly string[] | OfdPageParts)[];
  readonly title?: string;
  /** Objects by template id. */
  readonly templates?: Readonly<Record<string, string>>;
  /** Elements inside `ofd:Res`: fonts, multimedia, composite units. */
  readonly resources?: string;
  readonly outlines?: string;
  /** Inside `ofd:DocInfo`. */
  readonly info?: string;
  readonly attachments?: readonly { readonly name: string; readonly file: string; readonly data: Buffer | string }[];
  /** The tag file's root. */
  readonly tags?: string;
  /** One seal on the first page, as DER. */
  readonly seal?: Buffer;
  readonly members?: readonly ZipMember[];
};

export function makeOfd(parts: OfdParts): Buffer {
  const pages = parts.pages.map((page) => ('objects' in page ? page : { objects: linesOf(page) }));
  const has = (value: unknown, element: string): string => (value === undefined ? '' : element);
  const templates = Object.entries(parts.templates ?? {});
  return makeZip([
    {
      name: 'OFD.xml',
      data: `${declaration}<ofd:OFD ${ns} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:Title>${escapeXml(parts.title ?? '')}</ofd:Title>${parts.info ?? ''}</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>${has(parts.seal, '<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>')}</ofd:DocBody></ofd:OFD>`,
    },
    {
      name: 'Doc_0/Document.xml',
      data:
        `${declaration}<ofd:Document ${ns}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>` +
        `${templates.map(([id]) => `<ofd:TemplatePage ID="${id}" BaseLoc="Tpls/${id}.xml"/>`).join('')}</ofd:CommonData>` +
        `<ofd:Pages>${pages.map((_, at) => `<ofd:Page ID="p${at}" BaseLoc="Pages/Page_${at}/Content.xml"/>`).join('')}</ofd:Pages>` +
        `${parts.outlines ?? ''}<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>` +
        `${has(parts.attachments, '<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>')}${has(parts.tags, '<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>')}</ofd:Document>`,
    },
    {
      name: 'Doc_0/PublicRes.xml',
      data: `${declaration}<ofd:Res ${ns} BaseLoc="Res"><ofd:Fonts><ofd:Font ID="1" FontName="宋体"/><ofd:Font ID="2" FontName="黑体" Bold="true"/></ofd:Fonts>${parts.resources ?? ''}</ofd:Res>`,
    },
    ...templates.map(([id, objects]): ZipMember => ({ name: `Doc_0/Tpls/${id}.xml`, data: pageXml({ objects }) })),
    ...pages.map((page, at): ZipMember => ({ name: `Doc_0/Pages/Page_${at}/Content.xml`, data: pageXml(page) })),
    {
      name: 'Doc_0/Annots/Annotations.xml',
      data: `${declaration}<ofd:Annotations ${ns}>${pages.map((page, at) => has(page.annotations, `<ofd:Page PageID="p${at}"><ofd:FileLoc>${at}.xml</ofd:FileLoc></ofd:Page>`)).join('')}</ofd:Annotations>`,
    },
    ...pages.flatMap((page, at): ZipMember[] =>
      page.annotations === undefined
        ? []
        : [{ name: `Doc_0/Annots/${at}.xml`, data: `${declaration}<ofd:PageAnnot ${ns}>${page.annotations}</ofd:PageAnnot>` }],
    ),
    ...attachmentMembers(parts.attachments ?? []),
    ...(parts.tags === undefined ? [] : tagMembers(parts.tags)),
    ...(parts.seal === undefined ? [] : sealMembers(parts.seal)),
    ...(parts.members ?? []),
  ]);
}

function linesOf(lines: readonly string[]): string {
  return lines.map((text, at) => ofdText({ x: 20, y: 30 + at * 12, text })).join('');
}

function pageXml({ objects, head = '' }: OfdPageParts): string {
  return `${declaration}<ofd:Page ${ns}>${head}<ofd:Content><ofd:Layer ID="2">${objects}</ofd:Layer></ofd:Content></ofd:Page>`;
}

function attachmentMembers(attachments: NonNullable<OfdParts['attachments']>): ZipMember[] {
  if (attachments.length === 0) return [];
  const listed = attachments.map(
    ({ name, file }, at) => `<ofd:Attachment ID="${at}" Name="${name}"><ofd:FileLoc>${file}</ofd:FileLoc></ofd:Attachment>`,
  );
  return [
    { name: 'Doc_0/Attachs/Attachments.xml', data: `${declaration}<ofd:Attachments ${ns}>${listed.join('')}</ofd:Attachments>` },
    ...attachments.map(({ file, data }): ZipMember => ({ name: `Doc_0/Attachs/${file}`, data })),
  ];
}

function tagMembers(tags: string): ZipMember[] {
  return [
    {
      name: 'Doc_0/Tags/CustomTags.xml',
      data: `${declaration}<ofd:CustomTags ${ns}><ofd:CustomTag><ofd:FileLoc>Tag.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>`,
    },
    { name: 'Doc_0/Tags/Tag.xml', data: declaration + tags },
  ];
}

function sealMembers(seal: Buffer): ZipMember[] {
  return [
    {
      name: 'Doc_0/Signs/Signatures.xml',
      data: `${declaration}<ofd:Signatures ${ns}><ofd:Signature ID="1" BaseLoc="Sign_0/Signature.xml"/></ofd:Signatures>`,
    },
    {
      name: 'Doc_0/Signs/Sign_0/Signature.xml',
      data: `${declaration}<ofd:Signature ${ns}><ofd:SignedInfo><ofd:SignatureDateTime>20260102030405Z</ofd:SignatureDateTime><ofd:StampAnnot ID="1" PageRef="p0" Boundary="1 1 9 9"/><ofd:Seal><ofd:BaseLoc>Seal.esl</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo></ofd:Signature>`,
    },
    { name: 'Doc_0/Signs/Sign_0/Seal.esl', data: seal },
  ];
}

/** A value in ASN.1's basic encoding. */
export function der(tag: number, content: Buffer | readonly Buffer[]): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.concat(content);
  const length =
    bytes.length < 0x80
      ? Buffer.from([bytes.length])
      : Buffer.from([0x83, bytes.length >> 16, (bytes.length >> 8) & 0xff, bytes.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, bytes]);
}

/** A seal with a name, and a picture of some kind (GB/T 38540-2020, 6). */
export function makeSeal(
  name: string,
  picture: { readonly kind: string; readonly data: Buffer } = { kind: 'png', data: Buffer.alloc(1) },
): Buffer {
  const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));
  const header = der(0x30, [text(0x16, 'ES'), der(0x02, Buffer.from([4])), text(0x16, 'maker')]);
  const property = der(0x30, [der(0x02, Buffer.from([1])), text(0x0c, name)]);
  const shown = der(0x30, [
    text(0x16, picture.kind),
    der(0x04, picture.data),
    der(0x02, Buffer.from([42])),
    der(0x02, Buffer.from([42])),
  ]);
  return der(0x30, [der(0x30, [header, text(0x16, 'id'), property, shown])]);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
