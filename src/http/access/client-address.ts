/** Where a request really comes from. Forwarding headers are believed only from proxies that the settings name. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Whether an address belongs to a trusted proxy. */
export type ProxyTrust = (address: string) => boolean;

/** @throws Error for what is neither an address nor a CIDR range. */
export function trustProxies(entries: readonly string[]): ProxyTrust {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    if (family === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
      throw new Error(`${entry} is neither an address nor a CIDR range`);
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, kind);
    else list.addSubnet(address, Number(bits), kind);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** The last address in the chain that no trusted proxy vouches for. */
export function clientAddress(request: IncomingMessage, trusted: ProxyTrust): string {
  const chain = forwarded(request, 'x-forwarded-for').filter((address) => isIP(address) !== 0);
  let address = plainAddress(request.socket.remoteAddress ?? '');
  while (chain.length > 0 && trusted(address)) address = chain.pop()!;
  return address;
}

/** What belongs to one client: an address, or of IPv6 the network of 64 bits that it is in. */
export function addressBlock(address: string): string {
  if (isIP(address) !== 6) return address;
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  const missing = back === undefined ? 0 : 8 - groups.length - (back === '' ? 0 : back.split(':').length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(back ?? '').split(':')];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Whether the client speaks TLS (to a trusted proxy: this server itself speaks plain HTTP). */
export function isSecure(request: IncomingMessage, trusted: ProxyTrust): boolean {
  return fromProxy(request, trusted) && forwarded(request, 'x-forwarded-proto').at(-1) === 'https';
}

/** The host that the client asked for. */
export function requestedHost(request: IncomingMessage, trusted: ProxyTrust): string {
  const given = fromProxy(request, trusted) ? forwarded(request, 'x-forwarded-host').at(-1) : undefined;
  return (given ?? request.headers.host ?? '').toLowerCase();
}

/** Whether a trusted proxy itself sends this. */
export function fromProxy(request: IncomingMessage, trusted: ProxyTrust): boolean {
  return trusted(plainAddress(request.socket.remoteAddress ?? ''));
}

function forwarded(request: IncomingMessage, header: string): string[] {
  return String(request.headers[header] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `::ffff:127.0.0.1` is 127.0.0.1. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
