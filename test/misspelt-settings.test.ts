import { describe, expect, it } from 'vitest';
import { settingsTable } from '../src/config.ts';
import { misspeltSettings } from '../src/misspelt-settings.ts';

const names = settingsTable().map(({ name }) => name);
const long = names.filter((name) => name.length > 5);

describe('the name of a setting', () => {
  it.each(long)('is known with a letter less: %s', (name) => {
    expect(misspeltSettings({ [name.slice(0, -1)]: '1' })).toEqual([
      expect.stringContaining(`${name.slice(0, -1)} is no setting; did you mean `),
    ]);
  });

  it.each(long.filter((name) => name.includes('_')))('is known without its underscores, and in small letters: %s', (name) => {
    const written = name.replaceAll('_', '').toLowerCase();
    expect(misspeltSettings({ [written]: '1' })).toEqual([`${written} is no setting; did you mean ${name}?`]);
  });

  it('is not looked for in what is one, or belongs to the system or another program', () => {
    const others =
      'PATH HOME HOSTNAME USER LOGNAME SHELL LANG LC_ALL PWD OLDPWD TERM TMPDIR NODE_OPTIONS NODE_ENV PGHOST PGPORT PGUSER';
    const more =
      'PGPASSWORD AWS_REGION AWS_PROFILE UV_THREADPOOL_SIZE RAG_INTAKE_URL RAG_INTAKE_KEY HTTP_PROXY NO_PROXY MAIL EDITOR';
    const env = Object.fromEntries([...names, ...others.split(' '), ...more.split(' ')].map((name) => [name, '1']));

    expect(misspeltSettings(env)).toEqual([]);
  });
});
