/** What is done with many files at once, for engines that make no more of it than each by itself. */
import { finished } from 'node:stream/promises';
import type { Task } from '../tasks/task.ts';
import type { Arrival, Engine } from './engine.ts';
import type { FileStore, Receipt } from './file-store.ts';

/** `FileStore.receiveAll` by `receive`. */
export async function receiveEach(receive: FileStore['receive'], contents: readonly Uint8Array[]): Promise<readonly Receipt[]> {
  const received = await Promise.allSettled(contents.map((bytes) => receiveOne(receive, bytes)));
  const refused = received.find((result) => result.status === 'rejected');
  const receipts = received.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  if (refused === undefined) return receipts;
  await Promise.all(receipts.map((receipt) => receipt.discard()));
  throw refused.reason;
}

async function receiveOne(receive: FileStore['receive'], bytes: Uint8Array): Promise<Receipt> {
  const receipt = await receive({ bytesMax: bytes.byteLength, bytesExpected: bytes.byteLength });
  try {
    receipt.stream.end(bytes);
    await finished(receipt.stream);
    return receipt;
  } catch (error) {
    await receipt.discard();
    throw error;
  }
}

/** `Engine.submitAll` by `submit`: together, but those of one doc_id one after the other. */
export function submitEach(submit: Engine['submit'], arrivals: readonly Arrival[]): Promise<readonly PromiseSettledResult<Task>[]> {
  const before = new Map<string, Promise<unknown>>();
  return Promise.allSettled(
    arrivals.map(({ task, receipt }) => {
      const submitted = (before.get(task.docId) ?? Promise.resolve()).then(() => submit(task, receipt));
      before.set(
        task.docId,
        submitted.catch(() => undefined),
      );
      return submitted;
    }),
  );
}
