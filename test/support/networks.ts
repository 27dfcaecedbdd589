/** Hosts that see each other over a network only: each a network namespace of its own, all on one bridge. Needs root and `ip`. */
import { spawnSync } from 'node:child_process';

export type Networks<Host extends string> = Disposable & {
  /** What `ip netns exec` knows the host by. */
  namespaceOf(host: Host): string;
  addressOf(host: Host): string;
  /** The address by which this machine itself takes part. */
  readonly gateway: string;
  /** Takes its link away: nothing arrives any more, and nobody is told. */
  cut(host: Host): void;
  mend(host: Host): void;
};

const subnets = { rag: '10.213.7', over: '10.213.8' } as const;

/** What this machine does not allow, in words; null when it does. */
export function whatNetworksNeed(command: string): string | null {
  if (process.getuid?.() !== 0) return `root (sudo ${command})`;
  try {
    ip('netns', 'add', 'rag-probe');
    ip('netns', 'del', 'rag-probe');
    return null;
  } catch (error) {
    return `network namespaces: apt-get install iproute2, in a container --cap-add NET_ADMIN and SYS_ADMIN (${(error as Error).message})`;
  }
}

/** `hosts`: the last byte of the address of each. What a run before left behind goes first. */
export function makeNetworks<Host extends string>(
  name: keyof typeof subnets,
  hosts: Readonly<Record<Host, number>>,
): Networks<Host> {
  const [bridge, subnet] = [`${name}-bridge`, subnets[name]];
  const names = Object.keys(hosts) as Host[];
  const linkOf = (host: Host): string => `${name}-${host}`;
  const addressOf = (host: Host): string => `${subnet}.${hosts[host]}`;
  const setLink = (host: Host, state: 'up' | 'down'): void => ip('link', 'set', linkOf(host), state);

  function remove(): void {
    for (const host of names) {
      spawnSync('ip', ['netns', 'del', linkOf(host)]);
      spawnSync('ip', ['link', 'del', linkOf(host)]);
    }
    spawnSync('ip', ['link', 'del', bridge]);
  }

  remove();
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('addr', 'add', `${subnet}.1/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  for (const host of names) {
    const link = linkOf(host);
    ip('netns', 'add', link);
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', link);
    ip('link', 'set', link, 'master', bridge, 'up');
    ip('-n', link, 'addr', 'add', `${addressOf(host)}/24`, 'dev', 'eth0');
    ip('-n', link, 'link', 'set', 'eth0', 'up');
    ip('-n', link, 'link', 'set', 'lo', 'up');
  }
  return {
    namespaceOf: linkOf,
    addressOf,
    gateway: `${subnet}.1`,
    cut: (host) => setLink(host, 'down'),
    mend: (host) => setLink(host, 'up'),
    [Symbol.dispose]: remove,
  };
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
