/**
 * PDFium as WebAssembly, held tightly: memory growth is refused past a limit, the file is read piece by piece, and what it says by
 * error number or by aborting becomes a `DocumentError`. Everything here is synchronous but loading.
 *
 * Only the functions that are used are named. They are called directly on the instance, without Emscripten's wrappers:
 * about 10 ns a call, which is what makes reading every glyph affordable.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { init, type WrappedPdfiumModule } from '@embedpdf/pdfium';
import { DocumentError } from '../../../errors.ts';

/** An instance that has grown past this is not kept for the next file: WebAssembly memory never shrinks. */
const memoryBytesKept = 96 * 1024 * 1024;
/** Emscripten takes up to this much more than it was asked for. */
const overgrowthBytes = 96 * 1024 * 1024;
/** PDFium asks for 512 bytes at a time, here and there in the file; it is read in pieces of this size, of which so many are kept. */
const pieceBytes = 64 * 1024;
const piecesKept = 16;

type Pointer = number;

/** The exports that are used; every argument and result is a 32-bit integer or a double. */
type Exports = {
  malloc(bytes: number): Pointer;
  free(pointer: Pointer): void;
  PDFiumExt_Init(): void;
  FPDF_LoadCustomDocument(access: Pointer, password: Pointer): Pointer;
  FPDF_LoadMemDocument(data: Pointer, bytes: number, password: Pointer): Pointer;
  FPDF_CloseDocument(document: Pointer): void;
  FPDF_GetLastError(): number;
  FPDF_GetPageCount(document: Pointer): number;
  FPDF_GetMetaText(document: Pointer, tag: Pointer, buffer: Pointer, bytes: number): number;
  EPDFCatalog_GetLanguage(document: Pointer, buffer: Pointer, bytes: number): number;
  FPDF_LoadPage(document: Pointer, index: number): Pointer;
  FPDF_ClosePage(page: Pointer): void;
  FPDFPage_GetRotation(page: Pointer): number;
  FPDF_GetPageBoundingBox(page: Pointer, rect: Pointer): number;
  FPDFText_LoadPage(page: Pointer): Pointer;
  FPDFText_ClosePage(text: Pointer): void;
  FPDFText_CountChars(text: Pointer): number;
  FPDFText_GetUnicode(text: Pointer, index: number): number;
  FPDFText_IsGenerated(text: Pointer, index: number): number;
  FPDFText_HasUnicodeMapError(text: Pointer, index: number): number;
  FPDFText_GetTextObject(text: Pointer, index: number): Pointer;
  FPDFText_GetCharOrigin(text: Pointer, index: number, x: Pointer, y: Pointer): number;
  FPDFText_GetLooseCharBox(text: Pointer, index: number, rect: Pointer): number;
  FPDFText_GetFontSize(text: Pointer, index: number): number;
  FPDFText_GetMatrix(text: Pointer, index: number, matrix: Pointer): number;
  FPDFTextObj_GetFont(object: Pointer): Pointer;
  FPDFTextObj_GetTextRenderMode(object: Pointer): number;
  FPDFFont_GetBaseFontName(font: Pointer, buffer: Pointer, bytes: number): number;
  FPDFFont_GetFlags(font: Pointer): number;
  FPDFPage_CountObjects(page: Pointer): number;
  FPDFPage_GetObject(page: Pointer, index: number): Pointer;
  FPDFFormObj_CountObjects(form: Pointer): number;
  FPDFFormObj_GetObject(form: Pointer, index: number): Pointer;
  FPDFPageObj_GetType(object: Pointer): number;
  FPDFPageObj_GetBounds(object: Pointer, left: Pointer, bottom: Pointer, right: Pointer, top: Pointer): number;
  FPDFPageObj_GetMatrix(object: Pointer, matrix: Pointer): number;
  FPDFPath_CountSegments(path: Pointer): number;
  FPDFPath_GetPathSegment(path: Pointer, index: number): Pointer;
  FPDFPathSegment_GetPoint(segment: Pointer, x: Pointer, y: Pointer): number;
  FPDFPathSegment_GetType(segment: Pointer): number;
  FPDFPathSegment_GetClose(segment: Pointer): number;
  FPDFPath_GetDrawMode(path: Pointer, fill: Pointer, stroke: Pointer): number;
  FPDFPage_GetAnnotCount(page: Pointer): number;
  FPDFPage_GetAnnot(page: Pointer, index: number): Pointer;
  FPDFPage_CloseAnnot(annotation: Pointer): void;
  FPDFAnnot_GetSubtype(annotation: Pointer): number;
  FPDFAnnot_GetRect(annotation: Pointer, rect: Pointer): number;
  FPDFAnnot_GetLink(annotation: Pointer): Pointer;
  FPDFLink_GetAction(link: Pointer): Pointer;
  FPDFLink_CountQuadPoints(link: Pointer): number;
  FPDFLink_GetQuadPoints(link: Pointer, index: number, points: Pointer): number;
  FPDFAction_GetType(action: Pointer): number;
  FPDFAction_GetURIPath(document: Pointer, action: Pointer, buffer: Pointer, bytes: number): number;
  FPDFAnnot_GetStringValue(annotation: Pointer, key: Pointer, buffer: Pointer, bytes: number): number;
  FPDFBookmark_GetFirstChild(document: Pointer, bookmark: Pointer): Pointer;
  FPDFBookmark_GetNextSibling(document: Pointer, bookmark: Pointer): Pointer;
  FPDFBookmark_GetTitle(bookmark: Pointer, buffer: Pointer, bytes: number): number;
  FPDFBookmark_GetDest(document: Pointer, bookmark: Pointer): Pointer;
  FPDFDest_GetDestPageIndex(document: Pointer, destination: Pointer): number;
  FPDF_GetFormType(document: Pointer): number;
  PDFiumExt_OpenFormFillInfo(): Pointer;
  PDFiumExt_CloseFormFillInfo(info: Pointer): void;
  PDFiumExt_InitFormFillEnvironment(document: Pointer, info: Pointer): Pointer;
  PDFiumExt_ExitFormFillEnvironment(form: Pointer): void;
  FPDFAnnot_GetFormFieldType(form: Pointer, annotation: Pointer): number;
  FPDFAnnot_GetFormFieldValue(form: Pointer, annotation: Pointer, buffer: Pointer, bytes: number): number;
  FPDFAnnot_IsChecked(form: Pointer, annotation: Pointer): number;
  FPDFBitmap_CreateEx(width: number, height: number, format: number, buffer: Pointer, stride: number): Pointer;
  FPDFBitmap_FillRect(bitmap: Pointer, left: number, top: number, width: number, height: number, color: number): void;
  FPDFBitmap_GetBuffer(bitmap: Pointer): Pointer;
  FPDFBitmap_GetStride(bitmap: Pointer): number;
  FPDFBitmap_Destroy(bitmap: Pointer): void;
  FPDF_RenderPageBitmap_Start(
    bitmap: Pointer,
    page: Pointer,
    x: number,
    y: number,
    width: number,
    height: number,
    rotate: number,
    flags: number,
    pause: Pointer,
  ): number;
  FPDF_RenderPage_Close(page: Pointer): void;
  FPDFPage_Flatten(page: Pointer, use: number): number;
  FPDFDoc_GetAttachmentCount(document: Pointer): number;
  FPDFDoc_GetAttachment(document: Pointer, index: number): Pointer;
  FPDFAttachment_GetName(attachment: Pointer, buffer: Pointer, bytes: number): number;
  FPDFAttachment_GetFile(attachment: Pointer, buffer: Pointer, bytes: number, needed: Pointer): number;
  FPDFAnnot_GetFileAttachment(annotation: Pointer): Pointer;
};

/** One instance of PDFium. Reads one document at a time. */
export interface Pdfium {
  readonly call: Exports;
  /** 256 bytes for results by pointer; valid until the next call that uses it. */
  readonly scratch: Pointer;
  float(pointer: Pointer): number;
  double(pointer: Pointer): number;
  readonly bytes: Uint8Array;
  /** The memory as floats, for reading in loops. Stale (of length 0) once memory has grown: take it again. */
  readonly floats: Float32Array;
  /** UTF-16LE text of a function that takes (buffer, bytes) and answers the bytes it needs, with the final NUL. At most 64 KB. */
  utf16(read: (buffer: Pointer, bytes: number) => number): string;
  /** The same for functions that give UTF-8 (or Latin-1). */
  utf8(read: (buffer: Pointer, bytes: number) => number): string;
  /** A C string that lives as long as the instance. */
  constant(text: string): Pointer;
  /** Runs `use` with an IFSDK_PAUSE that asks `isPaused`. */
  pausable<T>(isPaused: () => boolean, use: (pause: Pointer) => T): T;
  /**
   * While `use` runs, `check` is called whenever PDFium reads from the file or asks for memory, and so can end a call that takes too
   * long by throwing; the instance is broken then.
   */
  watched<T>(check: () => void, use: () => T): T;
  /** Runs `use`, then `close` unless the instance broke. */
  closing<T>(use: () => T, close: () => void): T;
  /** An abort or a broken-off call left it in no state to be called again. */
  readonly broken: boolean;
  /** Small enough to be used for another file. */
  readonly reusable: boolean;
  /**
   * Opens the file at `path`; it is to be closed before the next. `memoryMb`: MiB past which PDFium may not grow; bombs end there, and
   * the largest of 1,400 real documents needed 350.
   * @throws DocumentError `encrypted` | `corrupt`; `limit_exceeded` when PDFium wants more memory than it may have.
   */
  openDocument(path: string, memoryMb: number, passwords: readonly Uint8Array[]): OpenDocument;
  /** Runs `use`; an abort of PDFium's is thrown as what it says of the document. @throws DocumentError `corrupt` | `limit_exceeded` */
  explained<T>(use: () => T): T;
}

/** `close` may be called after an abort too. */
export type OpenDocument = { readonly document: Pointer; close(): void };

/** Compiles once a thread (75 ms), instantiates in about 25 ms. */
export async function loadPdfium(): Promise<Pdfium> {
  compiled ??= readFile(new URL(import.meta.resolve('@embedpdf/pdfium/pdfium.wasm'))).then((bytes) => WebAssembly.compile(bytes));
  const code = await compiled;
  const state: State = {
    starved: false,
    broken: false,
    memoryMb: (memoryBytesKept + overgrowthBytes) / 1024 / 1024,
    check: unchecked,
  };
  const module = await withoutNewGetters(() => init(quietAndBounded(code, state)));
  return pdfiumOf(module.pdfium, state);
}

/**
 * Emscripten hangs warnings about misspelt names on the global object (`asm`, `battery`, …), as getters that hold on to the instance
 * that made them: a bomb that was the first PDF of its thread stayed in memory for good.
 */
async function withoutNewGetters<T>(make: () => Promise<T>): Promise<T> {
  const known = new Set(Object.getOwnPropertyNames(globalThis));
  try {
    return await make();
  } finally {
    for (const [name, made] of Object.entries(Object.getOwnPropertyDescriptors(globalThis)))
      if (!known.has(name) && made.get !== undefined && made.set === undefined) Reflect.deleteProperty(globalThis, name);
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

type State = {
  starved: boolean;
  broken: boolean;
  /** It may grow to. */ memoryMb: number;
  /** Throws when PDFium's time is over. */ check: () => void;
};
const unchecked = () => undefined;
type Imports = { env: { emscripten_resize_heap: (bytes: number) => number | boolean } };

function quietAndBounded(code: WebAssembly.Module, state: State): Parameters<typeof init>[0] {
  const overrides = {
    print: () => undefined,
    printErr: () => undefined,
    instantiateWasm(imports: unknown, receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void) {
      const { env } = imports as Imports;
      const grow = env.emscripten_resize_heap;
      env.emscripten_resize_heap = (bytes) => {
        breakable(state);
        if ((bytes >>> 0) + overgrowthBytes <= state.memoryMb * 1024 * 1024) return grow(bytes);
        state.starved = true;
        return 0;
      };
      const instance = new WebAssembly.Instance(code, imports as WebAssembly.Imports);
      receive(instance, code);
      return instance.exports;
    },
  };
  return overrides as unknown as Parameters<typeof init>[0];
}

/** What is thrown from here flies through PDFium without its tidying up. */
function breakable(state: State): void {
  try {
    state.check();
  } catch (error) {
    state.broken = true;
    throw error;
  }
}

function pdfiumOf(module: WrappedPdfiumModule['pdfium'], state: State): Pdfium {
  const call = module.wasmExports as unknown as Exports;
  call.PDFiumExt_Init();
  const scratch = call.malloc(256);
  const constants = new Map<string, Pointer>();
  // Emscripten replaces its views when memory grows, so they are looked up at each use.
  const heap = module as unknown as { HEAPU8: Uint8Array; HEAPU32: Uint32Array; HEAPF32: Float32Array; HEAPF64: Float64Array };

  const pieces = createFilePieces();
  const reader = module.addFunction((_param: number, at: number, to: Pointer, bytes: number) => {
    breakable(state);
    return pieces.read(at >>> 0, heap.HEAPU8, to, bytes) ? 1 : 0;
  }, 'iiiii');
  const access = call.malloc(12);

  function text(read: (buffer: Pointer, bytes: number) => number, decode: (bytes: Buffer) => string): string {
    const needed = read(0, 0);
    if (needed <= 1 || needed > 65_536) return '';
    const buffer = call.malloc(needed);
    return pdfium.closing(
      () => {
        read(buffer, needed);
        return decode(Buffer.from(heap.HEAPU8.subarray(buffer, buffer + needed)));
      },
      () => call.free(buffer),
    );
  }

  const pdfium: Pdfium = {
    call,
    scratch,
    float: (pointer) => heap.HEAPF32[pointer >> 2]!,
    double: (pointer) => heap.HEAPF64[pointer >> 3]!,
    get bytes() {
      return heap.HEAPU8;
    },
    get floats() {
      return heap.HEAPF32;
    },
    utf16: (read) => text(read, (bytes) => bytes.toString('utf16le').replace(/\0.*$/s, '').toWellFormed()),
    utf8: (read) => text(read, (bytes) => bytes.toString('utf8').replace(/\0.*$/s, '')),
    constant(name) {
      const known = constants.get(name);
      if (known !== undefined) return known;
      const bytes = Buffer.from(`${name}\0`);
      const pointer = call.malloc(bytes.length);
      heap.HEAPU8.set(bytes, pointer);
      constants.set(name, pointer);
      return pointer;
    },
    pausable(isPaused, use) {
      const ask = module.addFunction(() => (isPaused() ? 1 : 0), 'ii');
      const pause = call.malloc(12);
      heap.HEAPU32.set([1, ask, 0], pause >> 2);
      return pdfium.closing(
        () => use(pause),
        () => {
          call.free(pause);
          module.removeFunction(ask);
        },
      );
    },
    watched(check, use) {
      state.check = check;
      try {
        return use();
      } finally {
        state.check = unchecked;
      }
    },
    closing(use, close) {
      try {
        return use();
      } catch (error) {
        state.broken ||= isAbort(error);
        throw error;
      } finally {
        if (!state.broken) close();
      }
    },
    get broken() {
      return state.broken;
    },
    get reusable() {
      return !state.broken && !state.starved && heap.HEAPU8.length <= memoryBytesKept;
    },
    openDocument(path, memoryMb, passwords) {
      state.memoryMb = memoryMb;
      const file = openSync(path, 'r');
      try {
        pieces.open(file);
        heap.HEAPU32.set([fstatSync(file).size, reader, 0], access >> 2);
        const document = pdfium.explained(() => openWith(passwords));
        if (document === 0) throw openingError(call.FPDF_GetLastError(), passwords.length > 0);
        return { document, close: () => closeDocument(document, file) };
      } catch (error) {
        closeSync(file);
        throw error;
      }
    },
    explained(use) {
      try {
        return use();
      } catch (error) {
        state.broken ||= isAbort(error);
        throw asDocumentError(error, state);
      }
    },
  };

  /** The document, by the empty password or one of these; 0 when nothing opens it. */
  function openWith(passwords: readonly Uint8Array[]): Pointer {
    let document = call.FPDF_LoadCustomDocument(access, 0);
    for (const password of passwords) {
      if (document !== 0 || call.FPDF_GetLastError() !== wrongPassword) break;
      const text = call.malloc(password.length + 1);
      heap.HEAPU8.set([...password, 0], text);
      document = call.FPDF_LoadCustomDocument(access, text);
      heap.HEAPU8.fill(0, text, text + password.length);
      call.free(text);
    }
    return document;
  }

  function closeDocument(document: Pointer, file: number): void {
    try {
      // After an abort the instance is thrown away as it is, and closing may abort again.
      if (!state.broken) pdfium.explained(() => call.FPDF_CloseDocument(document));
    } finally {
      closeSync(file);
    }
  }

  return pdfium;
}

/** Reads from a file through pieces that are kept, so that small requests do not become system calls. */
type FilePieces = {
  /** The file to read from now on. */
  open(file: number): void;
  /** Copies `bytes` bytes at `position` to `to` in `memory`; false when the file is shorter. */
  read(position: number, memory: Uint8Array, to: number, bytes: number): boolean;
};

/** Memory for the pieces is taken once: 1 MB. */
function createFilePieces(): FilePieces {
  const buffer = Buffer.allocUnsafeSlow(piecesKept * pieceBytes);
  const pieces: ({ readonly number: number; readonly bytes: Uint8Array } | undefined)[] = [];
  let file = -1;
  const pieceOf = (number: number): Uint8Array => {
    const slot = number % piecesKept;
    const known = pieces[slot];
    if (known?.number === number) return known.bytes;
    const start = slot * pieceBytes;
    const bytes = buffer.subarray(start, start + readSync(file, buffer, start, pieceBytes, number * pieceBytes));
    pieces[slot] = { number, bytes };
    return bytes;
  };
  return {
    open(next) {
      file = next;
      pieces.length = 0;
    },
    read(position, memory, to, bytes) {
      if (bytes > pieceBytes) return readSync(file, memory, to, bytes, position) === bytes;
      for (let done = 0; done < bytes;) {
        const piece = pieceOf(Math.floor((position + done) / pieceBytes));
        const from = (position + done) % pieceBytes;
        const part = piece.subarray(from, from + bytes - done);
        if (part.length === 0) return false;
        memory.set(part, to + done);
        done += part.length;
      }
      return true;
    },
  };
}

const wrongPassword = 4;

/** FPDF_ERR_PASSWORD is 4, FPDF_ERR_SECURITY 5; the rest say that the file cannot be made sense of. */
function openingError(code: number, hadPassword: boolean): DocumentError {
  if (code === wrongPassword) {
    return new DocumentError(
      'encrypted',
      hadPassword
        ? 'The PDF is protected by a password, and the password sent with it does not open it'
        : 'The PDF is protected by a password: remove the password and upload it again, or send the password with it',
    );
  }
  if (code === 5)
    return new DocumentError(
      'encrypted',
      'The PDF is encrypted in a way that is not supported: print it as a new PDF and upload that',
    );
  return new DocumentError('corrupt', 'The PDF is damaged and could not be read');
}

function asDocumentError(error: unknown, state: State): unknown {
  if (error instanceof DocumentError || !isAbort(error)) return error;
  if (state.starved) {
    return new DocumentError(
      'limit_exceeded',
      `The PDF needs more than ${state.memoryMb} MB of memory to be read (MAX_PDF_MEMORY_MB)`,
      {
        cause: error,
      },
    );
  }
  return new DocumentError('corrupt', 'The PDF is damaged and could not be read', { cause: error });
}

/** Emscripten aborts with a WebAssembly.RuntimeError; too deep a recursion inside is a RangeError. */
function isAbort(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /call stack/.test(error.message));
}
