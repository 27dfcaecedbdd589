/**
 * Every trouble of a database's or a Redis's server under load from two front ends: what was answered, how soon uploads are taken again
 * after it has passed, and whether anything was lost or any process gone. `npm run torture -- --only trouble`
 */
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { passThrough, startLoad } from '../support/trouble-load.ts';
import { openTroubledCluster, openTroubledPostgres, openTroubledRedis, type TroubledEngine } from '../support/troubles.ts';
import { until } from '../support/until.ts';
import { type Figure, round, showFigures } from './figures.ts';

/** `lastsMs`: how long each takes at least. `judged`: times decide, too. */
export async function runTrouble(options: { readonly lastsMs: number; readonly judged: boolean }): Promise<boolean> {
  const results: boolean[] = [];
  for (const open of [openTroubledPostgres, openTroubledRedis, openTroubledCluster]) {
    await using engine = await open();
    results.push(showFigures(await onEngine(engine, options)));
  }
  return results.every(Boolean);
}

const recoveryMsMax = 2000;

async function onEngine(engine: TroubledEngine, { lastsMs, judged }: { lastsMs: number; judged: boolean }): Promise<Figure[]> {
  const dataDir = await makeDataDir();
  const place = { dataDir, engineEnv: engine.engineEnv };
  const servers = [await startServer(place), await startServer(place)];
  try {
    await until('both workers take part', async () => (await engine.workers()) === 2);
    const load = startLoad(servers);
    const recoveries: Figure[] = [];
    for (const trouble of [...engine.common, ...engine.more]) {
      const value = round(await passThrough(load, trouble, { silent: (ms) => engine.silent(ms), lastsMs }));
      recoveries.push({
        figure: `ms until uploads are taken after it ${trouble.name}`,
        value,
        ...(judged ? { most: recoveryMsMax } : {}),
      });
    }
    const lost = await load.judge();
    for (const sentence of [...load.wrong, ...lost].slice(0, 20)) console.log(sentence);
    return [
      ...recoveries,
      { figure: 'requests answered', value: load.answered(), least: judged ? 1000 : 100 },
      { figure: 'refused with 503 or 507', value: load.refused(), least: 100 },
      { figure: 'answered otherwise, or not', value: load.wrong.length, most: 0 },
      { figure: 'lost, there though refused, or listed and not found', value: lost.length, most: 0 },
      { figure: 'processes gone', value: gone(servers), most: 0 },
    ];
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    await removeDir(dataDir);
  }
}

/** Front ends that ended, workers that had to be started again, and owners that were declared dead. */
function gone(servers: readonly TestServer[]): number {
  const said = servers.flatMap(({ log }) => log().match(/a process is gone|the worker process ended/g) ?? []);
  return said.length + servers.filter(({ process }) => process.exitCode !== null).length;
}
