/** Looks at this machine as a server would find it, and says for everything that is wrong what to do. */
import { constants, existsSync } from 'node:fs';
import { access, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lackingLanguages, lackingSentence, openOcr } from '../parse/read-document.ts';
import { ConfigError, loadConfig, type Config } from '../config.ts';
import { parseDatabaseUrl, serverName } from '../storage/database-url.ts';
import { openDatabase } from '../storage/postgres/database.ts';
import { requireSchema, unsafeSettings } from '../storage/postgres/schema.ts';
import { connect } from '../storage/redis/connection.ts';
import { AppError, hasErrno } from '../errors.ts';
import { isLoopbackHost } from '../http/access/origin-guard.ts';
import { createLogger } from '../logger.ts';
import { misspeltSettings } from '../misspelt-settings.ts';
import { holdsNothing } from '../start-checks.ts';
import type { Check } from './check.ts';
import { checkFileStore } from './check-file-store.ts';
import { forecast } from './forecast.ts';
import { fileSize } from './terminal-text.ts';
import { withoutSecrets } from './local-settings.ts';

/** statfs(2) types. Network file systems break the promises of rename and fsync; the last two forget everything. */
const fileSystems = new Map<number, { name: string; state: Check['state'] }>([
  [0xef53, { name: 'ext4', state: 'ok' }],
  [0x58465342, { name: 'XFS', state: 'ok' }],
  [0x9123683e, { name: 'Btrfs', state: 'ok' }],
  [0x2fc12fc1, { name: 'ZFS', state: 'ok' }],
  [0xf2f52010, { name: 'F2FS', state: 'ok' }],
  [0x6969, { name: 'NFS', state: 'problem' }],
  [0x517b, { name: 'SMB', state: 'problem' }],
  [0xff534d42, { name: 'CIFS', state: 'problem' }],
  [0xfe534d42, { name: 'SMB2', state: 'problem' }],
  [0x65735546, { name: 'FUSE', state: 'warning' }],
  [0x794c7630, { name: 'overlayfs (a container’s own layer)', state: 'warning' }],
  [0x01021994, { name: 'tmpfs (memory)', state: 'warning' }],
]);

/**
 * Every check, in the order in which a server would stumble over them. `env` holds the server's settings. `repair`: mends documents
 * that can be mended.
 */
export async function examine(
  env: Readonly<Record<string, string | undefined>>,
  pageDir: string,
  { repair = false }: { repair?: boolean } = {},
): Promise<readonly Check[]> {
  const checks: Check[] = [nodeVersion(process.versions.node), userId()];
  let config: Config;
  try {
    config = loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [...checks, problem('settings', `${error.problems.join('; ')}. Correct these environment variables.`)];
  }
  checks.push(spelling(env), exposure(config));
  checks.push(...(config.databaseUrl === '' ? await dataDirectory(config) : [await database(config), ...(await standbys(config))]));
  checks.push(...(await checkFileStore(config)));
  if (config.queueUrl !== '') checks.push(await queue(config));
  checks.push(await port(config), await ocr(config), await page(pageDir));
  checks.push(...(await forecast(config, env, { nowMs: Date.now() })));
  const isReachable = !checks.some(({ name, state }) => state === 'problem' && storage.includes(name));
  const isThere = config.databaseUrl !== '' || existsSync(join(config.dataDir, 'documents'));
  if (isReachable && isThere) checks.push(...(await documents(env, repair)));
  return checks;
}

/** Checks without which no document can be opened. */
const storage = ['permissions', 'fsync', 'database', 'file store', 'redis'];

/** Opened by what a worker opens them with, which is loaded for this alone. */
async function documents(env: Readonly<Record<string, string | undefined>>, repair: boolean): Promise<readonly Check[]> {
  const { checkDocuments } = await import('./check-documents.ts');
  try {
    return await checkDocuments(env, repair);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [problem('documents', withoutSecrets(`They cannot be opened: ${error.message}`))];
  }
}

function nodeVersion(version: string): Check {
  const major = Number(version.split('.')[0]);
  return major >= 24 ? ok('node', `Node ${version}.`) : problem('node', `Node ${version} is too old; install Node 24 or newer.`);
}

function userId(): Check {
  if (process.getuid?.() !== 0) return ok('user', 'Not running as root.');
  return warning('user', 'Running as root. Run the server as a user of its own (the systemd unit and the container image do).');
}

function spelling(env: Readonly<Record<string, string | undefined>>): Check {
  const misspelt = misspeltSettings(env);
  return misspelt.length === 0 ? ok('settings', 'All settings can be read.') : warning('settings', misspelt.join(' '));
}

function exposure(config: Config): Check {
  const open = !isLoopbackHost(config.host);
  const keys = config.apiKeys.length > 0 || config.apiKeysFile !== '';
  if (open && !keys)
    return problem(
      'keys',
      `HOST ${config.host} can be reached from other machines and no API key is set: the server refuses to start. Create one with "rag-intake key create NAME".`,
    );
  return ok(
    'keys',
    open
      ? `HOST ${config.host} can be reached from other machines; API keys are set.`
      : `HOST ${config.host} can be reached from this machine only.`,
  );
}

async function database({ databaseUrl, databaseDirectUrl }: Config): Promise<Check> {
  const url = databaseDirectUrl === '' ? databaseUrl : databaseDirectUrl;
  const opened = await openDatabase({ url, connectionsMax: 1, idleInTransactionMs: 0, logger: createLogger({ level: 'silent' }) });
  try {
    await requireSchema(opened);
    const settings = await unsafeSettings(opened);
    if (settings.length > 0)
      return warning(
        'database',
        `PostgreSQL may lose acknowledged documents in a crash: ${settings.join(', ')}. Set each to on in postgresql.conf, then reload it.`,
      );
    const [row] = await opened.query(
      `SELECT current_setting('server_version') AS version, current_setting('max_connections') AS most`,
    );
    return ok(
      'database',
      `PostgreSQL ${String(row?.['version'])} answers and has the tables; it allows ${String(row?.['most'])} connections.`,
    );
  } catch (error) {
    const { message, cause } = error as Error;
    return problem('database', withoutSecrets(cause instanceof Error ? `${message} (${cause.message})` : message));
  } finally {
    await opened.close();
  }
}

/** Each by itself: questions go to the primary while one cannot be asked. */
async function standbys({ databaseUrl, databaseDirectUrl, databaseReadUrls }: Config): Promise<readonly Check[]> {
  return Promise.all(databaseReadUrls.map((url) => standby(databaseDirectUrl || databaseUrl, url)));
}

async function standby(primaryUrl: string, url: string): Promise<Check> {
  const options = { connectionsMax: 1, idleInTransactionMs: 0, logger: createLogger({ level: 'silent' }) };
  const [primary, other] = await Promise.all([primaryUrl, url].map((each) => openDatabase({ ...options, url: each })));
  const name = serverName(parseDatabaseUrl(url).servers[0]!);
  try {
    // A primary that is away is another check's affair.
    const [end] = await primary!.query('SELECT pg_current_wal_flush_lsn()::text AS position').catch(() => []);
    const sql = `SELECT pg_is_in_recovery() AS follows, pg_wal_lsn_diff($1::pg_lsn, pg_last_wal_replay_lsn())::float8 AS behind`;
    const [row] = await other!.query(sql, [end?.['position'] ?? null]);
    if (row?.['follows'] !== true)
      return warning('standby', `${name} is not a standby and is not used. Correct DATABASE_READ_URL.`);
    if (row['behind'] === null)
      return warning('standby', `The standby ${name} answers; how far it is behind is unknown without the primary.`);
    return ok('standby', `The standby ${name} answers, ${fileSize(Math.max(0, Number(row['behind'])))} of log behind.`);
  } catch (error) {
    const { message, cause } = error as Error;
    return warning('standby', withoutSecrets(`${name} cannot be used: ${cause instanceof Error ? cause.message : message}`));
  } finally {
    await Promise.all([primary!.close(), other!.close()]);
  }
}

async function queue({ queueUrl }: Config): Promise<Check> {
  try {
    (await connect(queueUrl, createLogger({ level: 'silent' }))).close();
    return ok('redis', 'Redis answers and stores its data durably.');
  } catch (error) {
    const { message, cause } = error as Error;
    return problem('redis', withoutSecrets(cause instanceof Error ? `Redis cannot be reached (${cause.message}).` : message));
  }
}

async function dataDirectory(config: Config): Promise<Check[]> {
  const path = resolve(config.dataDir);
  const existing = await nearestExisting(path);
  try {
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      problem(
        'permissions',
        `${existing} cannot be written by this user. Give it to the server's user: chown -R USER ${existing}.`,
      ),
    ];
  }
  const space = await statfs(existing);
  const freeBytes = space.bavail * space.bsize;
  return [
    ok('permissions', `${existing} can be written.`),
    fileSystem(existing, space.type),
    await durability(existing),
    freeBytes < config.diskReserveBytes
      ? problem(
          'disk',
          `${fileSize(freeBytes)} free, but DISK_RESERVE_BYTES reserves ${fileSize(config.diskReserveBytes)}: uploads are refused (507). Free some space.`,
        )
      : freeBytes < 3 * config.diskReserveBytes
        ? warning(
            'disk',
            `${fileSize(freeBytes)} free; below ${fileSize(config.diskReserveBytes)} uploads are refused (507). Free some space soon.`,
          )
        : ok('disk', `${fileSize(freeBytes)} free.`),
    ...(space.files > 0 && space.ffree < 10_000
      ? [warning('inodes', `${space.ffree} inodes left; each document needs about 7.`)]
      : []),
    ...(await privacy(path)),
  ];
}

function fileSystem(path: string, type: number): Check {
  const found = fileSystems.get(type >>> 0);
  if (found === undefined)
    return warning(
      'file system',
      `${path} is on an unknown file system (0x${(type >>> 0).toString(16)}). Use a local ext4 or XFS.`,
    );
  if (found.state === 'ok') return ok('file system', `${path} is on ${found.name}.`);
  return {
    name: 'file system',
    state: found.state,
    sentence: `${path} is on ${found.name}, which may lose data that was reported as saved. Put DATA_DIR on a local ext4 or XFS.`,
  };
}

/** Does what every upload does: write, flush, rename, flush the directory. */
async function durability(folder: string): Promise<Check> {
  const [temp, target] = [join(folder, `.doctor-${process.pid}.tmp`), join(folder, `.doctor-${process.pid}`)];
  try {
    const file = await open(temp, 'wx');
    await file.write(Buffer.alloc(4096));
    const startedAt = performance.now();
    await file.datasync();
    await file.close();
    await rename(temp, target);
    const directory = await open(folder, 'r');
    await directory.sync();
    await directory.close();
    const ms = performance.now() - startedAt;
    if (ms > 500)
      return warning(
        'fsync',
        `Flushing to the disk took ${Math.round(ms)} ms, and every upload waits for two flushes. Use a faster disk.`,
      );
    return ok('fsync', `Flushing to the disk works (${ms.toFixed(1)} ms).`);
  } catch (error) {
    return problem(
      'fsync',
      `Flushing to the disk fails (${(error as Error).message}): data cannot be stored safely here. Use another disk.`,
    );
  } finally {
    await Promise.all([temp, target].map((path) => rm(path, { force: true })));
  }
}

async function privacy(path: string): Promise<Check[]> {
  const info = await stat(path).catch(() => null);
  // The server closes an empty one when it starts.
  if (info === null || (info.mode & 0o007) === 0 || holdsNothing(path)) return [];
  return [warning('privacy', `${path} can be read by every user of this machine: chmod o-rwx ${path}.`)];
}

async function port({ host, port: wanted }: Config): Promise<Check> {
  if (wanted === 0) return ok('port', 'PORT 0: a free port is chosen.');
  const server = createServer();
  try {
    await new Promise<void>((done, failed) => server.once('error', failed).listen(wanted, host, done));
    return ok('port', `${host} port ${wanted} is free.`);
  } catch (error) {
    if (hasErrno(error, 'EADDRINUSE')) {
      const ours = await answersReady(host, wanted);
      if (ours) return ok('port', `A server answers on ${host} port ${wanted} and is ready.`);
      return problem(
        'port',
        `${host} port ${wanted} is in use by another program. Choose another PORT, or stop it (ss -ltnp shows which).`,
      );
    }
    if (hasErrno(error, 'EACCES'))
      return problem('port', `PORT ${wanted} needs more privileges. Choose one above 1023 and put a proxy in front.`);
    if (hasErrno(error, 'EADDRNOTAVAIL', 'ENOTFOUND'))
      return problem('port', `HOST ${host} is not an address of this machine (ip addr lists them).`);
    return problem('port', `${host} port ${wanted} cannot be used: ${(error as Error).message}.`);
  } finally {
    server.close();
  }
}

async function answersReady(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  const response = await fetch(`http://${name}:${port}/ready`, { signal: AbortSignal.timeout(3000) }).catch(() => null);
  return response?.headers.has('x-request-id') ?? false;
}

async function ocr({ ocrLanguages: languages, ocrPages }: Config): Promise<Check> {
  if (ocrPages === 'off') return ok('ocr', 'OCR is off (OCR_PAGES=off): scans and pictures are not read.');
  if (languages === 'off') return ok('ocr', 'OCR is off (OCR_LANGUAGES=off): scans and pictures are not read.');
  return languages === '' ? usualOcr() : ocrIn(languages);
}

async function ocrIn(languages: string): Promise<Check> {
  const found = await lackingLanguages({ languages });
  if (found === null) return ok('ocr', `OCR reads ${languages.split('+').join(', ')}.`);
  return warning('ocr', lackingSentence(found));
}

async function usualOcr(): Promise<Check> {
  try {
    const { stdout } = await promisify(execFile)('tesseract', ['--list-langs'], { timeout: 10_000 });
    const languages = stdout
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
    const missing = ['eng', 'chi_sim'].filter((language) => !languages.includes(language));
    if (missing.length === 0) return ok('ocr', `Tesseract reads ${languages.join(', ')}.`);
    return warning(
      'ocr',
      `Tesseract lacks ${missing.join(' and ')}: apt install ${missing.map((name) => `tesseract-ocr-${name.replace('_', '-')}`).join(' ')}.`,
    );
  } catch {
    const own = await openOcr({ languages: '', timeoutMs: 10_000 });
    if (own !== null) return ok('ocr', `The built-in OCR reads ${own.languages.join(', ')}; an installed Tesseract is faster.`);
    return warning(
      'ocr',
      'Tesseract is not installed: scans and pictures fail with "no text". Install it: apt install tesseract-ocr tesseract-ocr-chi-sim.',
    );
  }
}

async function page(pageDir: string): Promise<Check> {
  const built = await stat(join(pageDir, 'index.html')).then(
    () => true,
    () => false,
  );
  return built
    ? ok('page', 'The web page is built.')
    : warning('page', 'The web page is not built; the API works without it. Build it: npm run build:web.');
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null) return path === dirname(path) ? path : nearestExisting(dirname(path));
  return path;
}

function ok(name: string, sentence: string): Check {
  return { name, state: 'ok', sentence };
}

function warning(name: string, sentence: string): Check {
  return { name, state: 'warning', sentence };
}

function problem(name: string, sentence: string): Check {
  return { name, state: 'problem', sentence };
}
