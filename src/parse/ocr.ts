/** Port: reads the text in a picture. */

export interface Ocr {
  /** Languages that can be read, as Tesseract names them (`eng`, `chi_sim`). */
  readonly languages: readonly string[];
  /** The text in a picture file (PNG, JPEG, TIFF, WebP, GIF, BMP), lines as they stand; '' when there is none. */
  read(image: Uint8Array, options: { readonly timeoutMs: number }): Promise<string>;
}

/** What a scan ends in where nobody can read it. */
export const noOcrSentence = 'No text found: this looks like a scan and OCR is not installed';
