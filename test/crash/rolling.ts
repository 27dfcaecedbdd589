/**
 * The kept version 0.1.0, out of the history of the repository, and this one on the same data directory, database or Redis: what one
 * writes the other reads or refuses with a sentence, and nothing is lost on the way. `npm run torture -- --only rolling`
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../support/command.ts';
import { engines, type Place } from '../support/engines.ts';
import { ask } from '../support/postgres.ts';
import { ended, insert, search, startProcess, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Figure, showFigures } from './figures.ts';

/** The last commit of version 0.1.0. */
const kept = 'd0c2a17';
const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = 30;

export async function runRolling(): Promise<boolean> {
  await using dir = await tempDir();
  const main = checkOut(dir.path);
  const results: boolean[] = [];
  for (const { name, open } of engines) {
    await using engine = await open();
    results.push(showFigures(await roll(name, main, await engine.newPlace())));
  }
  return results.every(Boolean);
}

/** The old program in a folder of its own, with the libraries of this one. */
export function checkOut(folder: string): string {
  const program = join(folder, 'program');
  mkdirSync(program);
  execFileSync('tar', ['-x', '-C', program], {
    input: execFileSync('git', ['archive', kept, 'src', 'workers', 'package.json'], { cwd: root, maxBuffer: 2 ** 28 }),
  });
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'));
  return join(program, 'src', 'main.ts');
}

async function makeOldTables(main: string, url: string): Promise<void> {
  await ask(url, 'DROP SCHEMA rag_intake CASCADE; DROP SCHEMA rag_intake_jobs CASCADE');
  const cli = join(main, '..', 'cli', 'main.ts');
  execFileSync(process.execPath, [cli, 'migrate'], { env: { ...process.env, DATABASE_URL: url }, stdio: 'pipe' });
}

async function roll(name: string, main: string, place: Place): Promise<Figure[]> {
  const older = { ...place, main };
  const url = place.engineEnv['DATABASE_URL'];
  if (url !== undefined) await makeOldTables(main, url);
  // Apart, since a confined worker of the old program would not be let to read the libraries of this one.
  const worker = await startProcess({ ...older, args: ['worker'] });
  const old = await startServer({ ...older, args: ['--role', 'api'] });
  const accepted = await fill(old, 'old');
  const beside = await refusal(() => startProcess(place));
  const afterRefusal = await lacking(old, accepted);
  const migrated = await runCommand(['migrate'], { ...place.engineEnv, DATA_DIR: place.dataDir });
  await Promise.all([old.stop(), worker.stop()]);
  if (url !== undefined) await runCommand(['migrate'], { ...place.engineEnv, DATA_DIR: place.dataDir });

  const next = await startServer(place);
  accepted.push(...(await fill(next, 'new')));
  const wrong = await lacking(next, accepted);
  // Version 0.1.0 does not ask a Redis who has written to it: only its operator can keep it away.
  const asks = place.engineEnv['QUEUE_URL'] === undefined;
  const again = asks ? await refusal(() => startProcess(older)) : '';
  await next.kill();
  const last = await startServer(place);
  wrong.push(...(await lacking(last, accepted)));
  const { collections } = (await (await fetch(`${last.url}/collections`)).json()) as { collections: Held[] };
  const inDefault = collections.length === 1 && collections[0]?.name === 'default' ? collections[0].documents : 0;
  await last.stop();
  for (const sentence of [beside, again, migrated.stderr]) console.log(`${name}: ${sentence.trim().split('\n').at(-1)}`);
  return [
    { figure: `${name}: documents kept by both versions`, value: accepted.length, least: 2 * documents },
    {
      figure: 'the new one is refused beside the old one, with a sentence',
      value: Number(/stop them|Run "rag-intake migrate"/.test(beside)),
      least: 1,
    },
    ...(asks
      ? [
          {
            figure: 'the old one is refused after the new one, with a sentence',
            value: Number(/format|version/.test(again)),
            least: 1,
          },
        ]
      : []),
    { figure: 'lacking beside the refused one', value: afterRefusal.length, most: 0 },
    { figure: 'lacking after the change', value: wrong.length, most: 0 },
    { figure: 'in the collection `default`, which is the only one', value: inDefault, least: accepted.length },
  ];
}

/** As `GET /collections` says it. */
type Held = { readonly name: string; readonly documents: number };

async function fill(server: TestServer, prefix: string): Promise<string[]> {
  const ids = Array.from({ length: documents }, (_, at) => `${prefix}${at}`);
  for (const id of ids) {
    const file = { name: `${id}.txt`, bytes: `A text about ${id}word.` };
    const { task_id } = (await (await insert(server.url, id, file, { prefer: 'respond-async' })).json()) as WireTask;
    if ((await ended(server.url, task_id)).status !== 'completed') throw new Error(`${id} was not read`);
  }
  return ids;
}

/** Documents that are not found, or not listed. */
async function lacking({ url }: TestServer, ids: readonly string[]): Promise<string[]> {
  const lacks: string[] = [];
  for (const id of ids) {
    const found = (await search(url, `"${id}word"`)).some(({ citation }) => citation.doc_id === id);
    if (!found || (await fetch(`${url}/documents/${id}`)).status !== 200) lacks.push(id);
  }
  return lacks;
}

/** What a server says that does not start; '' when it does. */
async function refusal(start: () => Promise<TestServer>): Promise<string> {
  try {
    await (await start()).kill();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
