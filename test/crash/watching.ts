/**
 * A folder followed at full size: files and random changes, the server killed twice and the watcher once. `npm run torture -- --only
 * watching`
 */
import { followChanges } from '../support/watched-folder.ts';
import { showFigures } from './figures.ts';

export async function runWatching(size: { files: number; changes: number; seed: number }): Promise<boolean> {
  const { files, wrong, halves, slowlyWritten, kinds } = await followChanges(size);
  for (const line of [...wrong, ...halves].slice(0, 20)) console.log(line);
  return showFigures([
    { figure: 'files at the start', value: size.files },
    ...Object.entries(kinds).map(([kind, value]) => ({ figure: `files: ${kind}`, value })),
    { figure: 'files at the end', value: files },
    { figure: 'files: written slowly, a piece every quarter of a second', value: slowlyWritten },
    { figure: 'documents that are not as the folder is', value: wrong.length, most: 0 },
    { figure: 'versions of files half written', value: halves.length, most: 0 },
  ]);
}
