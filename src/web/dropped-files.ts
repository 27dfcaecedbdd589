/** Files out of a drop, with the folders in it walked through. */

export type FoundFile = {
  readonly file: File;
  /** The name, with the folders before it where there are any. */
  readonly path: string;
  /** Where the browser gives one: it can be read again after the page was loaded anew. */
  readonly handle?: FileSystemFileHandle | null;
};

/** Most files taken from one drop or one chosen folder. */
export const filesMax = 5000;

export type FoundFiles = {
  readonly files: readonly FoundFile[];
  /** How many there were beyond `filesMax`; not taken. */
  readonly leftOut: number;
};

/** Files that are still counted beyond `filesMax`. */
const countedMax = 100_000;

type Found = { readonly files: FoundFile[]; leftOut: number };

/** Call it in the drop event itself: the browser empties the list right after. Hidden files in folders are left out. */
export async function filesFromDrop(transfer: DataTransfer): Promise<FoundFiles> {
  const entries = [...transfer.items].flatMap((item) => (item.kind === 'file' ? [item.webkitGetAsEntry()] : []));
  const plain = [...transfer.files];
  const handles = [...transfer.items].map((item) => (item.kind === 'file' ? handleOf(item) : null)).filter((each) => each !== null);
  const found: Found = { files: [], leftOut: 0 };
  for (const [index, entry] of entries.entries()) {
    const file = plain[index];
    if (entry === null || entry.isFile) {
      if (file !== undefined) take(found, { file, path: file.name, handle: (await handles[index]) ?? null });
    } else {
      await walk(entry, found);
    }
  }
  return found;
}

type HandledItem = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };

async function handleOf(item: HandledItem): Promise<FileSystemFileHandle | null> {
  const handle = await item.getAsFileSystemHandle?.().catch(() => null);
  return handle instanceof FileSystemFileHandle ? handle : null;
}

type PickingWindow = { showOpenFilePicker?: (options: { multiple: true }) => Promise<FileSystemFileHandle[]> };

/** Asks for files with the browser's own picker, which gives handles; null where it has none. Nothing chosen: no files. */
export async function pickFiles(): Promise<FoundFiles | null> {
  const { showOpenFilePicker } = window as PickingWindow;
  if (showOpenFilePicker === undefined) return null;
  const handles = await showOpenFilePicker({ multiple: true }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') return [];
    throw error;
  });
  const found: Found = { files: [], leftOut: 0 };
  for (const handle of handles) {
    const file = await handle.getFile();
    take(found, { file, path: file.name, handle });
  }
  return found;
}

function take(found: Found, file: FoundFile): void {
  if (found.files.length < filesMax) found.files.push(file);
  else found.leftOut += 1;
}

/** The files of an `<input type=file>`, with or without `webkitdirectory`. */
export function filesFromInput(files: FileList): FoundFiles {
  const all = [...files]
    .map((file) => ({ file, path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath }))
    .filter(({ path }) => !isHidden(path));
  return { files: all.slice(0, filesMax), leftOut: Math.max(0, all.length - filesMax) };
}

async function walk(entry: FileSystemEntry, found: Found): Promise<void> {
  if (found.leftOut >= countedMax || isHidden(entry.fullPath)) return;
  if (entry.isFile) {
    if (found.files.length >= filesMax) {
      found.leftOut += 1;
      return;
    }
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    take(found, { file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader hands out a folder piece by piece and ends with an empty one.
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (piece.length === 0) return;
    for (const child of piece) await walk(child, found);
  }
}

function isHidden(path: string): boolean {
  return path.includes('/') && path.split('/').some((part) => part.startsWith('.'));
}
