import { describe, expect, it } from 'vitest';
import { createTargets } from '../../src/webhooks/targets.ts';

const anyHost = (networks: string[] = []) => createTargets({ hosts: ['hooks.example.com'], networks });

describe('where webhooks may go [S40]', () => {
  it('is nowhere as long as nothing is listed', () => {
    const targets = createTargets({ hosts: [], networks: [] });

    expect(targets.on).toBe(false);
    expect(() => targets.check('https://hooks.example.com/')).toThrowError('callback_url: webhooks are off on this server');
  });

  it.each([
    'https://hooks.example.com/in',
    'https://HOOKS.example.com./in?x=1#part',
    'https://a.b.example.org/',
    'http://plain.lan:9000/',
  ])('is %s when its host is listed', (url) => {
    const targets = createTargets({ hosts: ['hooks.example.com', '*.example.org', 'http://plain.lan:9000'], networks: [] });

    expect(targets.check(url).hash).toBe('');
  });

  it.each([
    'http://hooks.example.com/',
    'https://hooks.example.com:8443/',
    'https://example.org/',
    'https://evil-hooks.example.com/',
    'https://hooks.example.com.evil.com/',
    'https://hooks.example.com@evil.com/',
    'https://user:word@hooks.example.com/',
    'ftp://hooks.example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'hooks.example.com',
    `https://hooks.example.com/${'a'.repeat(2048)}`,
  ])('is never %s', (url) => {
    expect(() => createTargets({ hosts: ['hooks.example.com', '*.example.org'], networks: [] }).check(url)).toThrowError(
      /^callback_url: /,
    );
  });

  it.each([
    '2130706433',
    '0x7f.1',
    '017700000001',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '169.254.169.254',
    '10.1.2.3',
  ])('is not the address http://%s, however it is written, even when the list names it', (host) => {
    const targets = createTargets({ hosts: [`http://${host}`], networks: [] });

    expect(() => targets.check(`http://${host}/`)).toThrowError('callback_url: this address is not allowed');
  });

  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.192',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    '',
    'localhost',
    '1.2.3',
    'fe80::1%eth0',
  ])('never connects to %s', (address) => {
    expect(anyHost().addressAllowed(address)).toBe(false);
  });

  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '::ffff:8.8.8.8', '2606:4700::1111'])(
    'may connect to the public address %s',
    (address) => {
      expect(anyHost().addressAllowed(address)).toBe(true);
    },
  );

  it('opens a private network only when it is listed, and link-local or metadata addresses never', () => {
    const targets = anyHost(['10.0.0.0/8', '::1', '0.0.0.0/0', 'fe80::/10']);

    expect(targets.addressAllowed('10.9.8.7')).toBe(true);
    expect(targets.addressAllowed('::1')).toBe(true);
    expect(targets.addressAllowed('169.254.169.254')).toBe(false);
    expect(targets.addressAllowed('fe80::1')).toBe(false);
    expect(targets.addressAllowed('0.0.0.0')).toBe(false);
    expect(anyHost(['10.0.0.0/8']).addressAllowed('192.168.0.1')).toBe(false);
  });

  it.each(['https://', 'a b', 'host/path', 'user@host', 'https://host?x', '*', 'a.*.com', 'host:99999'])(
    'refuses the entry %s at start',
    (entry) => {
      expect(() => createTargets({ hosts: [entry], networks: [] })).toThrowError(/hosts like hooks\.example\.com/);
    },
  );

  it.each(['10.0.0.0/33', '10.0.0/8', 'intranet', '::1/129', '10.0.0.0/x'])('refuses the network %s at start', (network) => {
    expect(() => createTargets({ hosts: [], networks: [network] })).toThrowError(/networks like/);
  });
});
