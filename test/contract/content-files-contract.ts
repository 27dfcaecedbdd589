/** What a sweep of files must leave alone where tasks are kept elsewhere: no transaction there holds a version and its task together. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ContentFiles } from '../../src/storage/content-files.ts';
import { newId } from '../support/engine-steps.ts';

/** Two processes on the same files; `close` ends both. */
export type OpenPair = () => Promise<{ own: ContentFiles; ofAnother: ContentFiles; close: () => Promise<void> }>;

export function contentFilesContract(name: string, openPair: OpenPair): void {
  /** A version of the document `a` that one of the processes has published, and has not settled yet. */
  async function published() {
    const { own, ofAnother, close } = await openPair();
    onTestFinished(close);
    const version = { id: newId(), ordinal: 1 };
    let isCurrent = false;
    const scratch = await own.scratch(version.id);
    await writeFile(join(scratch, 'original'), 'original');
    await writeFile(join(scratch, 'meta.json'), JSON.stringify({ document: { docId: 'a', ordinal: 1 } }));
    await own.publish('a', version, scratch);
    const settle = async (): Promise<void> => {
      isCurrent = true;
      await own.settle('a', version);
    };
    const sweep = async (files: ContentFiles, isLive: () => Promise<boolean>): Promise<void> =>
      void (await files.sweep({
        isAlive: async () => true,
        needsPayload: async () => true,
        isLive,
        isCurrent: async () => isCurrent,
      }));
    const original = () => own.stat({ kind: 'document', docId: 'a', version: version.id, part: 'original' });
    return { own, ofAnother, settle, sweep, original };
  }

  describe(`${name}: a sweep`, () => {
    it('leaves a version alone that this process is publishing, though no task is there yet, as in a move', async () => {
      const { own, settle, sweep, original } = await published();
      await sweep(own, async () => false);
      await settle();

      expect(await original()).toEqual({ bytes: 8 });
    });

    it('leaves a version alone that became current after it was looked at, and before its task was asked for', async () => {
      const { ofAnother, settle, sweep, original } = await published();
      await sweep(ofAnother, async () => {
        await settle();
        return false;
      });

      expect(await original()).toEqual({ bytes: 8 });
    });

    it('removes a version that no index shows and no live task will, as a process leaves it that dies', async () => {
      const { ofAnother, sweep, original } = await published();
      await sweep(ofAnother, async () => false);

      expect(await original()).toBeNull();
    });
  });
}
