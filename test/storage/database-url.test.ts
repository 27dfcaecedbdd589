import { expect, it } from 'vitest';
import { parseDatabaseUrl, parseReadUrl, withFirstHost } from '../../src/storage/database-url.ts';

it('an address of one server is handed on as it was written', () => {
  for (const url of [
    'postgres://user:p%40ss@host/name?sslmode=require',
    'postgresql:///name?host=/run/postgresql',
    'postgres://[::1]:6000/name',
  ])
    expect(parseDatabaseUrl(url)).toMatchObject({ url, role: 'any' });
  expect(parseDatabaseUrl('postgres://[::1]:6000/name').servers).toEqual([{ host: '::1', port: 6000 }]);
  expect(parseDatabaseUrl('postgres:///name?host=/run/postgresql').servers).toEqual([{ host: '/run/postgresql', port: 5432 }]);
});

it('several servers are read as libpq reads them, and the one that lets write is wanted', () => {
  const servers = [
    { host: 'one', port: 5432 },
    { host: 'two', port: 6000 },
    { host: '::1', port: 7000 },
  ];
  const { url, ...place } = parseDatabaseUrl('postgres://user:a,b@one,two:6000,[::1]:7000/name?sslmode=require');
  expect(place).toEqual({ servers, role: 'read-write' });
  expect(url).toBe('postgres://user:a,b@one/name?sslmode=require');
  const named = parseDatabaseUrl('postgres:///name?host=one,two&port=5432,6000&target_session_attrs=primary');
  expect(named).toEqual({ servers: servers.slice(0, 2), role: 'primary', url: 'postgres:///name' });
  expect(parseDatabaseUrl('postgres:///name?host=one,two&port=6000').servers.map(({ port }) => port)).toEqual([6000, 6000]);
});

it('what one server must be can be said of one as well', () => {
  expect(parseDatabaseUrl('postgres://host/name?target_session_attrs=read-write')).toEqual({
    servers: [{ host: 'host', port: 5432 }],
    role: 'read-write',
    url: 'postgres://host/name',
  });
});

it.each([
  'mysql://host/name',
  'host/name',
  'postgres://one,,two/name',
  'postgres://one:port,two/name',
  'postgres://one,two:99999/name',
  `postgres://${Array.from({ length: 17 }, (_, i) => `host${i}`).join(',')}/name`,
  'postgres:///name?host=one,two,three&port=1,2',
  'postgres://one,two/name?target_session_attrs=any',
  'postgres://one,two/name?target_session_attrs=standby',
])('%s is refused with what was expected', (url) => {
  expect(() => parseDatabaseUrl(url)).toThrow(/an address like postgres|target_session_attrs=read-write or primary/);
});

it('for whoever looks at something else in it, an address has one host', () => {
  expect(new URL(withFirstHost('postgres://user:secret@one:1,two:2/name?sslrootcert=ca.pem')).searchParams.get('sslrootcert')).toBe(
    'ca.pem',
  );
});

it('standbys are one address each, whatever libpq would be told to choose', () => {
  expect(parseReadUrl('')).toEqual([]);
  expect(parseReadUrl('postgres://user@two:6000,three/name?target_session_attrs=standby&sslmode=require')).toEqual([
    'postgres://user@two:6000/name?sslmode=require',
    'postgres://user@three/name?sslmode=require',
  ]);
  expect(() => parseReadUrl('postgres://two,,three/name')).toThrow(/an address like/);
  expect(() => parseReadUrl('two')).toThrow(/an address like/);
});
