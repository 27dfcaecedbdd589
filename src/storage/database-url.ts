/**
 * Which servers an address of a database names, as libpq reads it: `postgres://user:password@one:5432,two:5432/name`, or
 * `?host=one,two&port=5432`, with `target_session_attrs` for what one of them must be to be asked.
 */

export type ServerAddress = { readonly host: string; readonly port: number };

/** What the server that is asked must be: one that is no standby, one that lets write, or whichever it is. */
export type ServerRole = 'any' | 'primary' | 'read-write';

export type DatabasePlace = {
  /** At least one, in the order that they were named. */
  readonly servers: readonly ServerAddress[];
  readonly role: ServerRole;
  /** An address of the first of them alone, as the driver reads it. */
  readonly url: string;
};

const standardPort = '5432';
const serversMax = 16;
const roles: readonly ServerRole[] = ['any', 'primary', 'read-write'];

/** Of several servers the one that lets write is asked unless the address says otherwise. Pure. @throws Error saying what was expected. */
export function parseDatabaseUrl(text: string): DatabasePlace {
  const { beforeHosts, hosts, afterHosts } = partsOf(text);
  const first = `${beforeHosts}${hosts[0] ?? ''}${afterHosts}`;
  if (hosts.length > serversMax || hosts.some((host) => !URL.canParse(`${beforeHosts}${host}${afterHosts}`))) throw expected();
  const url = new URL(first);
  const servers = serversIn(hosts, url.searchParams);
  const role = roleIn(url.searchParams, servers.length);
  for (const name of ['target_session_attrs', ...(servers.length > 1 ? ['host', 'port'] : [])]) url.searchParams.delete(name);
  // What names one server is handed on as it was written.
  return { servers, role, url: servers.length === 1 && !text.includes('target_session_attrs') ? text : url.href };
}

/** Those of standbys that may be asked, as one address each; none of ''. Pure. @throws Error saying what was expected. */
export function parseReadUrl(text: string): readonly string[] {
  if (text.trim() === '') return [];
  const { beforeHosts, hosts, afterHosts } = partsOf(text);
  return hosts.map((host) => {
    if (host === '' || !URL.canParse(`${beforeHosts}${host}${afterHosts}`)) throw expected();
    const url = new URL(`${beforeHosts}${host}${afterHosts}`);
    url.searchParams.delete('target_session_attrs');
    return parseDatabaseUrl(url.href).url;
  });
}

/** `host:port`. */
export function serverName({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The same address for `URL`, which knows one host only: for whoever looks at anything else in it. Any other text as it is. Pure. */
export function withFirstHost(text: string): string {
  return text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?[^/?#,@]*),[^/?#@]*/i, '$1');
}

type Parts = { readonly beforeHosts: string; readonly hosts: readonly string[]; readonly afterHosts: string };

function partsOf(text: string): Parts {
  const [, scheme, user = '', hosts = '', afterHosts = ''] =
    /^(postgres(?:ql)?:\/\/)([^/?#]*@)?([^/?#]*)(.*)$/is.exec(text.trim()) ?? [];
  if (scheme === undefined) throw expected();
  return { beforeHosts: `${scheme}${user}`, hosts: hosts.split(','), afterHosts };
}

function serversIn(hosts: readonly string[], params: URLSearchParams): readonly ServerAddress[] {
  const named = params.get('host')?.split(',') ?? null;
  const ports = params.get('port')?.split(',') ?? [];
  if (named === null) return hosts.map((host) => addressOf(host, hosts.length));
  if (hosts.length > 1 || ![0, 1, named.length].includes(ports.length)) throw expected();
  return named.map((host, i) => ({
    host,
    port: portOf(ports[i] ?? ports[0] ?? (new URL(`x://${hosts[0] || 'x'}`).port || standardPort)),
  }));
}

/** One that stands alone may be left out, as in `postgres:///name`; the driver says what is meant then. */
function addressOf(text: string, count: number): ServerAddress {
  if (text === '' && count > 1) throw expected();
  if (text === '') return { host: '', port: portOf(standardPort) };
  const { hostname, port } = new URL(`x://${text}`);
  return { host: decodeURIComponent(hostname.replace(/^\[(.+)\]$/, '$1')), port: portOf(port || standardPort) };
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw expected();
  return Number(text);
}

function roleIn(params: URLSearchParams, count: number): ServerRole {
  const given = params.get('target_session_attrs');
  if (given === null) return count > 1 ? 'read-write' : 'any';
  const role = roles.find((name) => name === given);
  if (role === undefined || (role === 'any' && count > 1))
    throw new Error('target_session_attrs=read-write or primary: the database must be writable');
  return role;
}

function expected(): Error {
  return new Error('an address like postgres://user:password@host:5432/name (of several servers the hosts separated by commas)');
}
