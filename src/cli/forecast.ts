/** What works today and would fail tomorrow: a disk that fills, certificates that end, a clock that is wrong, a Node that is not kept any more. */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Config } from '../config.ts';
import { certificateFiles } from '../open-storage.ts';
import type { Check } from './check.ts';
import { fileSize } from './terminal-text.ts';

const dayMs = 86_400_000;
/** Growth is that of the last week. */
const growthDays = 7;
const diskWarningDays = 30;
const certificateWarningDays = 30;
const nodeWarningDays = 90;
const connectMs = 3000;
/** Clocks differ by less among machines that are looked after. */
const clockAheadMs = 120_000;

/** Ends of support (github.com/nodejs/Release). */
const nodeEnds: Readonly<Record<number, string>> = { 24: '2028-04-30', 25: '2026-06-01', 26: '2029-04-30' };

/** All that can be told of tomorrow, by the settings, the data directory and the time now. Asks only services that the settings name. */
export async function forecast(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  { nowMs, node = process.versions.node }: { nowMs: number; node?: string },
): Promise<Check[]> {
  const isHere = config.databaseUrl === '';
  const growth = isHere ? await growthOf(join(config.dataDir, 'documents'), nowMs) : null;
  return [
    ...(growth === null ? [] : [diskCheck(growth.bytesADay, await roomOf(config)), clockCheck(growth.newestMs, nowMs)]),
    ...(isHere ? [await backupCheck(config.backupDir, nowMs)] : []),
    ...(await certificateChecks(config, env, nowMs)),
    nodeCheck(node, nowMs),
  ];
}

/** Bytes that the stored documents grew by a day in the last week, and the youngest of them; null while there are none. */
async function growthOf(folder: string, nowMs: number): Promise<{ bytesADay: number; newestMs: number } | null> {
  let bytes = 0;
  let newestMs = 0;
  for (const document of await namesIn(folder))
    for (const version of await namesIn(join(folder, document))) {
      const path = join(folder, document, version);
      const made = await stat(path).catch(() => null);
      if (made === null) continue;
      newestMs = Math.max(newestMs, made.mtimeMs);
      if (made.mtimeMs < nowMs - growthDays * dayMs) continue;
      for (const part of await namesIn(path)) bytes += (await stat(join(path, part)).catch(() => null))?.size ?? 0;
    }
  return newestMs === 0 ? null : { bytesADay: bytes / growthDays, newestMs };
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function roomOf({ dataDir, diskReserveBytes }: Config): Promise<number> {
  const space = await statfs(dataDir);
  return Math.max(0, space.bavail * space.bsize - diskReserveBytes);
}

/** When the disk will be full, going on as in the last week. Pure. */
export function diskCheck(bytesADay: number, roomBytes: number): Check {
  const days = bytesADay === 0 ? Infinity : Math.floor(roomBytes / bytesADay);
  const rate = `Documents grew by ${fileSize(Math.round(bytesADay))} a day in the last week`;
  if (days > 3650) return check('growth', 'ok', `${rate}; there is room for years.`);
  const sentence = `${rate}; at that rate uploads will be refused in ${days} days.`;
  return days < diskWarningDays
    ? check('growth', days < 2 ? 'problem' : 'warning', `${sentence} Free some space, or move DATA_DIR to a larger disk.`)
    : check('growth', 'ok', sentence);
}

/** A document that is younger than now was stored by a clock that was ahead, or this one is behind. Pure. */
export function clockCheck(newestMs: number, nowMs: number): Check {
  const aheadMs = newestMs - nowMs;
  if (aheadMs < clockAheadMs)
    return check('clock', 'ok', `The clock shows ${new Date(nowMs).toISOString()}, later than everything that is stored.`);
  const sentence = `The newest document is ${Math.round(aheadMs / 60_000)} minutes ahead of the clock (${new Date(nowMs).toISOString()}).`;
  return check('clock', 'warning', `${sentence} Set the clock and keep it in sync: timedatectl set-ntp true.`);
}

async function backupCheck(folder: string, nowMs: number): Promise<Check> {
  if (folder === '')
    return check(
      'backup',
      'warning',
      'DATA_DIR is not backed up automatically. Set BACKUP_DIR, or run "rag-intake backup" from cron.',
    );
  const found = await readdir(folder).catch(() => null);
  if (found === null)
    return check(
      'backup',
      'problem',
      `BACKUP_DIR: ${folder} cannot be read. Mount or create it, and give it to the server's user.`,
    );
  const newest = found
    .filter((name) => /^backup-\d{4}-\d{2}-\d{2}$/.test(name))
    .toSorted()
    .at(-1);
  if (newest === undefined)
    return check('backup', 'warning', `There is no backup in ${folder} yet; the server makes one when it runs.`);
  const days = Math.floor((nowMs - Date.parse(newest.slice('backup-'.length))) / dayMs);
  return days > 2
    ? check('backup', 'problem', `The last backup is ${days} days old (${newest}). The server's log says why.`)
    : check('backup', 'ok', `The last backup is ${newest}.`);
}

/** Of files that the settings name, and of the services that they name with https, the own address included. */
async function certificateChecks(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  nowMs: number,
): Promise<Check[]> {
  const files = [...certificateFiles(config).filter((path) => !/key/i.test(path)), ...named(env['NODE_EXTRA_CA_CERTS'])];
  const { oidcIssuer, embeddingsUrl, rerankUrl, answerUrl, webhookUrl } = config;
  const services = [oidcIssuer, embeddingsUrl, rerankUrl, answerUrl, webhookUrl, env['RAG_INTAKE_URL'] ?? '']
    .filter((url) => URL.canParse(url) && new URL(url).protocol === 'https:')
    .map((url) => new URL(url).origin);
  const checks = await Promise.all([
    ...files.map(async (path) => {
      const read = await readFile(path)
        .then((pem) => new X509Certificate(pem).validToDate.getTime())
        .catch(() => null);
      return certificateCheck(path, read, nowMs);
    }),
    ...[...new Set(services)].map(async (origin) => certificateCheck(origin, await endOfPeer(new URL(origin)), nowMs)),
  ]);
  return checks;
}

function named(path: string | undefined): string[] {
  return path === undefined || path === '' ? [] : [path];
}

/** Until when a certificate holds. `endMs` null: it could not be read. Pure. */
export function certificateCheck(of: string, endMs: number | null, nowMs: number): Check {
  if (endMs === null) return check('certificate', 'warning', `The certificate of ${of} could not be checked.`);
  const days = Math.floor((endMs - nowMs) / dayMs);
  const until = new Date(endMs).toISOString().slice(0, 10);
  if (days < 0) return check('certificate', 'problem', `The certificate of ${of} expired on ${until}. Renew it.`);
  return days < certificateWarningDays
    ? check('certificate', 'warning', `The certificate of ${of} expires on ${until}, in ${days} days. Renew it.`)
    : check('certificate', 'ok', `The certificate of ${of} is valid until ${until}.`);
}

/** Looked at whatever it is worth: also one that has ended already. */
function endOfPeer({ hostname, port }: URL): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port) || 443,
      servername: hostname,
      rejectUnauthorized: false,
      timeout: connectMs,
    });
    const end = (endMs: number | null): void => {
      socket.destroy();
      resolve(endMs);
    };
    socket.once('secureConnect', () => end(Date.parse(socket.getPeerCertificate().valid_to) || null));
    socket.once('error', () => end(null)).once('timeout', () => end(null));
  });
}

/** How long this Node gets security fixes. Pure. */
export function nodeCheck(version: string, nowMs: number): Check {
  const end = nodeEnds[Number.parseInt(version, 10)];
  if (end === undefined) return check('support', 'ok', `Node ${version}: this version does not know when its support ends.`);
  const days = Math.floor((Date.parse(end) - nowMs) / dayMs);
  if (days >= nodeWarningDays) return check('support', 'ok', `Node ${version} gets security fixes until ${end}.`);
  const sentence = days < 0 ? `has had no security fixes since ${end}` : `gets security fixes until ${end} only`;
  return check('support', 'warning', `Node ${version} ${sentence}. Install a newer one.`);
}

function check(name: string, state: Check['state'], sentence: string): Check {
  return { name, state, sentence };
}
