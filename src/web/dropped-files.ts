/** Files out of a drop, with the folders in it walked through. */

export type FoundFile = {
  readonly file: File;
  /** The name, with the folders before it where there are any. */
  readonly path: string;
};

/** Most files taken from one drop or one chosen folder. */
export const filesMax = 5000;

/** Call it in the drop event itself: the browser empties the list right after. Hidden files in folders are left out. */
export async function filesFromDrop(transfer: DataTransfer): Promise<readonly FoundFile[]> {
  const entries = [...transfer.items].flatMap((item) => (item.kind === 'file' ? [item.webkitGetAsEntry()] : []));
  const plain = [...transfer.files];
  const found: FoundFile[] = [];
  for (const [index, entry] of entries.entries()) {
    const file = plain[index];
    if (entry === null || entry.isFile) {
      if (file !== undefined) found.push({ file, path: file.name });
    } else {
      await walk(entry, found);
    }
    if (found.length >= filesMax) break;
  }
  return found.slice(0, filesMax);
}

/** The files of an `<input type=file>`, with or without `webkitdirectory`. */
export function filesFromInput(files: FileList): readonly FoundFile[] {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath }))
    .filter(({ path }) => !isHidden(path))
    .slice(0, filesMax);
}

async function walk(entry: FileSystemEntry, found: FoundFile[]): Promise<void> {
  if (found.length >= filesMax || isHidden(entry.fullPath)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, '') });
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
