/** A file that is in memory already, brought to the store. */
import { finished } from 'node:stream/promises';
import type { UploadService } from '../services.ts';
import type { Receipt } from '../../storage/file-store.ts';

/** Nothing is left behind when it throws. @throws what `UploadService.receive` throws. */
export async function receiveBytes(uploads: UploadService, bytes: Buffer): Promise<Receipt> {
  const receipt = await uploads.receive({ bytesMax: bytes.length, bytesExpected: bytes.length });
  try {
    receipt.stream.end(bytes);
    await finished(receipt.stream);
    return receipt;
  } catch (error) {
    await receipt.discard();
    throw error;
  }
}
