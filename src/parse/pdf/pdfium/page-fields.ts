/**
 * What a reader filled in or wrote onto a page: values of form fields, ticks, and text boxes laid over it. They are not part of the
 * page's own text and become spans at their places, so that a value stands beside its label. And what leads somewhere from it.
 */
import { targetCharactersMax } from '../../markdown/link.ts';
import { annotationsMax, areaOf, type LinkArea, linkAreasMax, linesMax } from '../layout/link-areas.ts';
import type { Span } from '../layout/page-spans.ts';
import type { SeenBox } from '../layout/text-cover.ts';
import type { View } from '../page-view.ts';
import type { Pdfium } from './pdfium.ts';

const link = 2;
const freeText = 3;
const stamp = 13;
const fileAttachment = 17;
const widget = 20;
const checkBox = 2;
const radioButton = 3;
const comboBox = 4;
const listBox = 5;
const textField = 6;
const signature = 7;
/** An action that opens an address. */
const openAddress = 3;

export type PageFields = {
  readonly spans: Span[];
  /** Where these are drawn. */
  readonly boxes: readonly SeenBox[];
  /** Attachments that hang on the page. */
  readonly files: readonly number[];
  /** There are signatures or stamps, which may show text that only their pictures hold. */
  readonly isSealed: boolean;
  readonly areas: readonly LinkArea[];
};

/**
 * @param form from `openForm`; 0 when the document has none
 * @param page from `FPDF_LoadPage`
 */
export function readFields(
  pdfium: Pdfium,
  { document, form }: { readonly document: number; readonly form: number },
  page: number,
  view: View,
): PageFields {
  const { call } = pdfium;
  const count = Math.min(annotationsMax, call.FPDFPage_GetAnnotCount(page));
  const spans: Span[] = [];
  const boxes: SeenBox[] = [];
  const files: number[] = [];
  const areas: LinkArea[] = [];
  let isSealed = false;
  for (let index = 0; index < count; index++) {
    const annotation = call.FPDFPage_GetAnnot(page, index);
    if (annotation === 0) continue;
    pdfium.closing(
      () => {
        const subtype = call.FPDFAnnot_GetSubtype(annotation);
        if (subtype === link && areas.length < linkAreasMax) areas.push(...areasOf(pdfium, document, annotation, view));
        if (subtype === fileAttachment) files.push(call.FPDFAnnot_GetFileAttachment(annotation));
        isSealed ||=
          subtype === stamp ||
          (subtype === widget && form !== 0 && call.FPDFAnnot_GetFormFieldType(form, annotation) === signature);
        const text = valueOf(pdfium, form, annotation);
        if (text === '') return;
        const box = boxOf(pdfium, annotation, view);
        boxes.push(box);
        spans.push(spanOf(text, box));
      },
      () => call.FPDFPage_CloseAnnot(annotation),
    );
  }
  return { spans, boxes, files: files.filter((each) => each !== 0), isSealed, areas };
}

/** One a line of a link's text; none of a link to a place in the document. */
function areasOf(pdfium: Pdfium, document: number, annotation: number, view: View): LinkArea[] {
  const { call, scratch } = pdfium;
  const link = call.FPDFAnnot_GetLink(annotation);
  const action = link === 0 ? 0 : call.FPDFLink_GetAction(link);
  if (action === 0 || call.FPDFAction_GetType(action) !== openAddress) return [];
  const target = pdfium.utf8((buffer, bytes) => call.FPDFAction_GetURIPath(document, action, buffer, bytes));
  if (target === '' || target.length > targetCharactersMax) return [];
  const areas: LinkArea[] = [];
  for (let index = 0; index < Math.min(linesMax, call.FPDFLink_CountQuadPoints(link)); index++)
    if (call.FPDFLink_GetQuadPoints(link, index, scratch) === 1) areas.push(areaOf(floatsAt(pdfium, 8), view, target));
  if (areas.length > 0) return areas;
  return call.FPDFAnnot_GetRect(annotation, scratch) === 1 ? [areaOf(floatsAt(pdfium, 4), view, target)] : [];
}

function floatsAt(pdfium: Pdfium, count: number): number[] {
  return Array.from({ length: count }, (_, index) => pdfium.float(pdfium.scratch + 4 * index));
}

function valueOf(pdfium: Pdfium, form: number, annotation: number): string {
  const { call } = pdfium;
  const subtype = call.FPDFAnnot_GetSubtype(annotation);
  if (subtype === freeText) {
    return oneLine(
      pdfium.utf16((buffer, bytes) => call.FPDFAnnot_GetStringValue(annotation, pdfium.constant('Contents'), buffer, bytes)),
    );
  }
  if (subtype !== widget || form === 0) return '';
  switch (call.FPDFAnnot_GetFormFieldType(form, annotation)) {
    case checkBox:
    case radioButton:
      return call.FPDFAnnot_IsChecked(form, annotation) === 1 ? '☑' : '';
    case comboBox:
    case listBox:
    case textField:
      return oneLine(pdfium.utf16((buffer, bytes) => call.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, bytes)));
    default:
      return '';
  }
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function boxOf(pdfium: Pdfium, annotation: number, view: View): SeenBox {
  const { call, scratch } = pdfium;
  call.FPDFAnnot_GetRect(annotation, scratch);
  const [x1, y1, x2, y2] = floatsAt(pdfium, 4) as [number, number, number, number];
  const [left, right] = [view.x(x1, y1), view.x(x2, y2)].sort((one, other) => one - other) as [number, number];
  const [top, bottom] = [view.y(x1, y1), view.y(x2, y2)].sort((one, other) => one - other) as [number, number];
  return { left, top, right, bottom };
}

/** The text begins at the box's left; of a high box it is the first line. */
function spanOf(text: string, { left, top, right, bottom }: SeenBox): Span {
  const size = Math.max(1, Math.min(10, (bottom - top) * 0.7));
  const baseline = bottom - top > 30 ? top + size * 1.2 : (top + bottom) / 2 + size * 0.35;
  return {
    text,
    left,
    right: Math.max(left + 1, Math.min(right, left + text.length * size * 0.6)),
    baseline,
    size,
    bold: false,
    italic: false,
    mono: false,
    rightToLeft: false,
    words: [{ text, left, right }],
  };
}

/** PDFium's form environment, which alone knows the values of inherited fields. `form` is 0 for a document without one. */
export type OpenForm = { readonly form: number; close(): void };

export function openForm(pdfium: Pdfium, document: number): OpenForm {
  const { call } = pdfium;
  if (call.FPDF_GetFormType(document) === 0) return { form: 0, close: () => undefined };
  const info = call.PDFiumExt_OpenFormFillInfo();
  const form = call.PDFiumExt_InitFormFillEnvironment(document, info);
  return {
    form,
    close() {
      if (form !== 0) call.PDFiumExt_ExitFormFillEnvironment(form);
      call.PDFiumExt_CloseFormFillInfo(info);
    },
  };
}
