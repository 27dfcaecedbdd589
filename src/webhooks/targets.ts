/**
 * Where webhooks may go. A callback URL comes from a client, so it could name the machine itself, its neighbours or a cloud's
 * metadata service (SSRF): hosts must be listed, and what a host resolves to is judged again at every connect.
 */
import { BlockList, isIP } from 'node:net';
import { AppError } from '../errors.ts';

export interface Targets {
  /** False: nothing is listed, webhooks are off. */
  readonly on: boolean;
  /** A URL that may be called as far as its text tells. @throws AppError `invalid_request`. */
  check(url: string): URL;
  /** Whether a connection to this IP address may be opened. */
  addressAllowed(address: string): boolean;
}

type Rule = { readonly protocol: 'http:' | 'https:'; readonly host: string; readonly port: string };

const urlCharactersMax = 2048;

/** @throws Error with one sentence about the first entry that cannot be read. */
export function createTargets(options: { hosts: readonly string[]; networks: readonly string[] }): Targets {
  const rules = options.hosts.map(parseRule);
  const allowedNetworks = networkList(options.networks);

  function addressAllowed(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0 || neverAllowed.check(address, family)) return false;
    return !notPublic.check(address, family) || allowedNetworks.check(address, family);
  }

  return {
    on: rules.length > 0,
    addressAllowed,
    check(text) {
      if (rules.length === 0) throw refused('webhooks are off on this server');
      if (text.length > urlCharactersMax || !URL.canParse(text)) throw refused('this is not a URL');
      const url = new URL(text);
      if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('the URL must begin with https://');
      if (url.username !== '' || url.password !== '') throw refused('the URL must not contain a user name or password');
      url.hash = '';
      if (!rules.some((rule) => matches(rule, url)))
        throw refused('this host is not allowed; an administrator can add it to WEBHOOK_ALLOWED_HOSTS');
      const host = hostOf(url);
      if (isIP(host) !== 0 && !addressAllowed(host)) throw refused('this address is not allowed');
      return url;
    },
  };
}

/** The host without brackets and final dot. `URL` has already turned 2130706433, 0x7f.1 and the like into 127.0.0.1. */
export function hostOf(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function parseRule(entry: string): Rule {
  const [, scheme, wildcard, rest = ''] = /^(https?:\/\/)?(\*\.)?(.*)$/i.exec(entry)!;
  const protocol = scheme?.toLowerCase() === 'http://' ? 'http:' : 'https:';
  const text = `${protocol}//${rest}/`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.pathname !== '/' || url.search !== '' || url.username !== '' || rest === '' || rest.includes('*'))
    throw new Error(`hosts like hooks.example.com, *.example.com, host:8443 or http://host`);
  return { protocol, host: `${wildcard ?? ''}${hostOf(url)}`, port: url.port };
}

function matches(rule: Rule, url: URL): boolean {
  const host = hostOf(url);
  const named = rule.host.startsWith('*.') ? host.endsWith(rule.host.slice(1)) : host === rule.host;
  return named && rule.protocol === url.protocol && rule.port === url.port;
}

function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    const family = isIP(address);
    const bits = prefix === '' ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32))
      throw new Error('networks like 10.0.0.0/8, 192.168.1.7 or fd00::/8');
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function refused(reason: string): AppError {
  return new AppError('invalid_request', `callback_url: ${reason}`);
}

/** Nobody's server has such an address, or a cloud's metadata service has it: not even a listed network opens these. */
const neverAllowed = networkList([
  '0.0.0.0/8',
  '169.254.0.0/16', // link-local; 169.254.169.254 is the metadata service of most clouds
  '100.100.100.200', // metadata at Alibaba Cloud
  '192.0.0.192', // metadata at Oracle Cloud
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'fd00:ec2::254', // metadata at AWS
]);

/** The special-purpose registries of IANA (RFC 6890): this machine, its neighbours, and ways to write IPv4 inside IPv6. */
const notPublic = networkList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '::1',
  '::/96', // IPv4-compatible
  '64:ff9b::/96', // NAT64
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23', // Teredo and other protocol assignments
  '2001:db8::/32',
  '2002::/16', // 6to4
  '3fff::/20',
  'fc00::/7',
]);
