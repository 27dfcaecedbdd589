/** Files attached to a PDF: those that its catalogue lists (all of a portfolio), and those that hang on a page. */
import { DocumentError } from '../../../errors.ts';
import type { AttachedFile } from '../pdf-source.ts';
import type { Pdfium } from './pdfium.ts';

/** That are looked at; how many are read is the document's limit. */
const attachmentsMax = 10_000;

/** What the catalogue lists, in its order. */
export function listedFiles(pdfium: Pdfium, document: number): number[] {
  const { call } = pdfium;
  const count = Math.min(attachmentsMax, Math.max(0, call.FPDFDoc_GetAttachmentCount(document)));
  return Array.from({ length: count }, (_, index) => call.FPDFDoc_GetAttachment(document, index)).filter((each) => each !== 0);
}

/** @param attachment alive as long as its document is open */
export function attachedFile(pdfium: Pdfium, attachment: number): AttachedFile {
  const { call } = pdfium;
  return {
    name: pdfium.explained(() => pdfium.utf16((buffer, bytes) => call.FPDFAttachment_GetName(attachment, buffer, bytes))),
    bytes(bytesMax) {
      // Nothing can be asked of an instance that an earlier file has broken.
      if (pdfium.broken) throw new DocumentError('corrupt', 'the PDF could not be read any further');
      return pdfium.explained(() => fileOf(pdfium, attachment, bytesMax));
    },
  };
}

function fileOf(pdfium: Pdfium, attachment: number, bytesMax: number): Buffer {
  const { call, scratch } = pdfium;
  const size = call.FPDFAttachment_GetFile(attachment, 0, 0, scratch) === 1 ? sizeAt(pdfium, scratch) : 0;
  if (size === 0) return Buffer.alloc(0);
  if (size > bytesMax)
    throw new DocumentError('limit_exceeded', `it is larger than ${bytesMax} bytes, the limit for a file inside another`);
  const buffer = call.malloc(size);
  if (buffer === 0)
    throw new DocumentError('limit_exceeded', 'it is larger than the memory that a PDF may take (MAX_PDF_MEMORY_MB)');
  return pdfium.closing(
    () => {
      const isRead = call.FPDFAttachment_GetFile(attachment, buffer, size, scratch) === 1;
      return isRead ? Buffer.from(pdfium.bytes.subarray(buffer, buffer + size)) : Buffer.alloc(0);
    },
    () => call.free(buffer),
  );
}

function sizeAt({ bytes }: Pdfium, pointer: number): number {
  return Buffer.from(bytes.buffer, pointer, 4).readUInt32LE(0);
}
