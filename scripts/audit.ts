/**
 * Looks for known holes in what the lock file installs: by `npm audit` and its signatures where the registry answers, and always
 * against the recorded list in `advisories.json` (oldest version without the hole; null: none is, the package must not be there). Also that
 * everything comes from a registry with a digest, and that nothing runs a script at install but what is listed in package.json.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

type LockedPackage = {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  hasInstallScript?: boolean;
  dev?: boolean;
  optional?: boolean;
  /** The platforms that a binary is for. */
  os?: string[];
};
type Advisory = { name: string; floor: string | null; advisories: string[] };

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as T;
const { packages } = read<{ packages: Record<string, LockedPackage> }>('../package-lock.json');
const { recorded, packages: advisories } = read<{ recorded: string; packages: Advisory[] }>('advisories.json');
const locked = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({ name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), ...entry }));

const problems = [...heldAgainstList(), ...withoutDigest(), ...askedOfRegistry()];
console.log(
  `${locked.length} packages held against ${advisories.length} recorded advisories of ${recorded}: ${problems.length} problems`,
);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function heldAgainstList(): string[] {
  return locked.flatMap(({ name, version }) => {
    const known = advisories.find((advisory) => advisory.name === name);
    if (known === undefined || (known.floor !== null && !isOlder(version ?? '0.0.0', known.floor))) return [];
    const remedy = known.floor === null ? 'no version is fixed; do without it' : `needs ${known.floor}`;
    return [`${name} ${version}: ${known.advisories.join(', ')}; ${remedy}`];
  });
}

/**
 * Optional binaries for other platforms are left out where they could not be read when the file was locked: they are not
 * installed here, and a machine that does install them checks them against its own registry.
 */
function withoutDigest(): string[] {
  return locked
    .filter(({ link, optional, os }) => link !== true && !(optional === true && os !== undefined))
    .filter(({ resolved, integrity }) => integrity === undefined || !(resolved ?? 'https://').startsWith('https://'))
    .map(({ name }) => `${name} is locked without a digest, or does not come over https`);
}

function askedOfRegistry(): string[] {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
  const answer = parse(stdout);
  if (answer?.vulnerabilities === undefined) {
    console.log('npm audit: not answered by this registry');
    return [];
  }
  const found = Object.entries(answer.vulnerabilities).filter(([, { severity }]) => severity === 'high' || severity === 'critical');
  console.log(`npm audit: ${Object.keys(answer.vulnerabilities).length} findings, ${found.length} of them high or critical`);
  return [...found.map(([name, { severity }]) => `npm audit: ${name} (${severity})`), ...withoutSignature()];
}

/** A registry that answers audits signs its packages too. Needs them installed. */
function withoutSignature(): string[] {
  const { status, stdout, stderr } = spawnSync('npm', ['audit', 'signatures'], { encoding: 'utf8' });
  return status === 0 ? [] : [`npm audit signatures: ${(stderr || stdout).trim()}`];
}

function parse(text: string): { vulnerabilities?: Record<string, { severity: string }> } | null {
  try {
    return JSON.parse(text) as { vulnerabilities?: Record<string, { severity: string }> };
  } catch {
    return null;
  }
}

function isOlder(version: string, floor: string): boolean {
  const [one, two] = [version, floor].map((text) => text.split(/[.-]/).slice(0, 3).map(Number)) as [number[], number[]];
  for (let part = 0; part < 3; part += 1) if (one[part] !== two[part]) return (one[part] ?? 0) < (two[part] ?? 0);
  return version.includes('-');
}
