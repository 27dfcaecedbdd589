/** What is installed, from where, and what may run while it is: read off the lock file and the ways in which it is used. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(`${root}${name}`, 'utf8');
type Locked = {
  integrity?: string;
  resolved?: string;
  link?: boolean;
  optional?: boolean;
  os?: string[];
  hasInstallScript?: boolean;
};
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const locked = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({ name: path.replace(/^.*node_modules\//, ''), ...entry }));

describe('what is installed [S44]', () => {
  it('is locked by digest, and names no registry', () => {
    const open = locked.filter(({ integrity, link, optional, os }) => {
      const foreignBinary = optional === true && os !== undefined;
      return integrity === undefined && link !== true && !foreignBinary;
    });
    expect(open.map(({ name }) => name)).toEqual([]);
    expect(locked.filter(({ resolved }) => resolved !== undefined).map(({ name }) => name)).toEqual([]);
  });

  it('runs nothing while it is installed but what package.json allows by name', () => {
    const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
    const scripted = locked.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ name }) => name);

    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(['node']);
    expect(scripted.filter((name) => !(name in allowScripts) && !optionalBinary(name))).toEqual([]);
    const installs = (read('Dockerfile') + read('scripts/release/make-tree.sh')).match(/^.*npm (?:ci|install) -.*/gm)!;
    expect(installs.length).toBeGreaterThan(0);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
  });

  it('tells nobody of its installation: the package of swagger-ui that does is in no lock, and not in what builds the page in production', () => {
    const reporter = '@scarf/scarf';
    const wanting = locked.filter((entry) => reporter in ((entry as { dependencies?: object }).dependencies ?? {}));

    expect(wanting.map(({ name }) => name)).toEqual(['swagger-ui-dist']);
    expect(locked.filter(({ name }) => name === reporter)).toEqual([]);
    expect(read('scripts/build-page.ts')).toContain('overrides');
  });

  it('is held against known holes before every release, and holds none of the packages that have no cure', () => {
    expect(read('.ci/run')).toContain('npm run audit:lock');
    const { packages: advisories } = JSON.parse(read('scripts/advisories.json')) as {
      packages: { name: string; floor: string | null }[];
    };
    const incurable = advisories.filter(({ floor }) => floor === null).map(({ name }) => name);
    expect(incurable).toContain('xlsx');
    expect(locked.filter(({ name }) => incurable.includes(name))).toEqual([]);
  });

  it('can be listed as CycloneDX, every package with its version', () => {
    const { stdout } = spawnSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string; components: { name: string; version: string }[] };

    expect(bomFormat).toBe('CycloneDX');
    const direct = Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies);
    expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(direct));
    expect(components.every(({ version }) => version !== '')).toBe(true);
  });

  /** Prebuilt for one platform each: not installed anywhere else. */
  function optionalBinary(name: string): boolean {
    return locked.some((entry) => entry.name === name && entry.optional === true && entry.os !== undefined);
  }
});
