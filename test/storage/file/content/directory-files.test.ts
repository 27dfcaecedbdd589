/** Files in a directory, for engines that keep tasks elsewhere. */
import { openDirectoryFiles } from '../../../../src/storage/file/content/directory-files.ts';
import { contentFilesContract } from '../../../contract/content-files-contract.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

contentFilesContract('files in a directory', async () => {
  const dir = await tempDir();
  const options = { dataDir: dir.path, diskReserveBytes: 0, now: () => new Date().toISOString(), logger: silentLogger };
  const open = (id: string) => openDirectoryFiles({ ...options, owner: { id, lost: new AbortController().signal } });
  const [own, ofAnother] = [await open('worker-1'), await open('worker-2')];
  return {
    own,
    ofAnother,
    async close() {
      await Promise.all([own.close(), ofAnother.close()]);
      await dir[Symbol.asyncDispose]();
    },
  };
});
