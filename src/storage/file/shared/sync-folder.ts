/** Names in a folder that survive a power cut. */
import { open } from 'node:fs/promises';

/** The names in `folder` are on the disk when this returns. */
export async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
