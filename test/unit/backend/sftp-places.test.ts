/** What is read before a connection is made: locations, options, ~/.ssh/config, known_hosts. */
import { createHmac } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf, keysIn, keyTypeOf, rememberHost } from '../../../src/backend/sftp/known-hosts.ts';
import { readPlace } from '../../../src/backend/sftp/place.ts';
import { parseSshConfig } from '../../../src/backend/sftp/ssh-config.ts';
import { parseTarget, showTarget } from '../../../src/backend/sftp/target.ts';
import { packets } from '../../../src/backend/sftp/transfer.ts';

describe('the location of an SFTP server', () => {
  const good = [
    ['me@host:/srv/repo', 'me', 'host', undefined, '/srv/repo'],
    ['me@host:repo', 'me', 'host', undefined, 'repo'],
    ['host:a/./b//c/', undefined, 'host', undefined, 'a/b/c'],
    ['host:/', undefined, 'host', undefined, '/'],
    ['me@corp@host:/x', 'me@corp', 'host', undefined, '/x'],
    ['me@[fe80::1%eth0]:/x', 'me', 'fe80::1%eth0', undefined, '/x'],
    ['host:/with:colon/and@sign', undefined, 'host', undefined, '/with:colon/and@sign'],
    ['//me@host//srv/repo', 'me', 'host', undefined, '/srv/repo'],
    ['//me@host:2222//srv/repo', 'me', 'host', 2222, '/srv/repo'],
    ['//host:2222/repo', undefined, 'host', 2222, 'repo'],
    ['//me%40corp@[::1]:22//a%20b', 'me@corp', '::1', 22, '/a b'],
    ['host:/../x', undefined, 'host', undefined, '/../x'],
  ] as const;
  it.each(good)('%s', (text, user, host, port, folder) => {
    const target = parseTarget(text);
    expect(target).toEqual({ user, host, port, folder });
    const shown = showTarget(target);
    expect(parseTarget(shown.replace(/^sftp:/, ''))).toEqual(target);
  });

  const bad = [
    'host',
    'host:',
    ':/x',
    '//host',
    '//host/',
    '///x',
    '//host:0//x',
    '//host:65536//x',
    '//host:abc//x',
    '-oProxyCommand=x:/y',
    '//-oProxyCommand=x//y',
    'me@-host:/x',
    '-me@host:/x',
    'ho st:/x',
    'host,other:/x',
    'ho*st:/x',
    '$(x):/y',
    'host\n:/x',
    'host:/a\0b',
    'host:/a\nb',
    'me\n@host:/x',
    'host:~/repo',
    '//host/~/repo',
    '//host//%zz',
    '[host:/x',
    '[a b]:/x',
    `${'h'.repeat(256)}:/x`,
  ];
  it.each(bad)('refuses %j', (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it.each(['me:secret@host:/x', '//me:secret@host//x'])('takes no password: %s', (text) => {
    const refusal = expect.objectContaining({
      code: 'usage',
      message: expect.not.stringContaining('secret'),
    });
    expect(() => parseTarget(text)).toThrow(refusal);
    expect(() => parseTarget(text)).toThrow(/password/);
  });
});

describe('~/.ssh/config', () => {
  const text = [
    'User everyone',
    '# a comment',
    'Host attic *.home !cellar.home',
    '  HostName = %h.example.org',
    '\tport 2200',
    '  IdentityFile "~/.ssh/with space"',
    '  IdentityFile ~/.ssh/second',
    '  Port 99',
    'Match all',
    '  HostName wrong.example.org',
    'Host jump?',
    '  ProxyJump other',
    '  IdentityFile none',
  ].join('\r\n');

  it('is read for the hosts that it means, the first value first', () => {
    expect(parseSshConfig(text, 'Attic')).toEqual({
      hostName: 'Attic.example.org',
      user: 'everyone',
      port: 2200,
      identityFiles: ['~/.ssh/with space', '~/.ssh/second'],
      detours: [],
    });
    expect(parseSshConfig(text, 'cellar.home')).toEqual({ user: 'everyone', identityFiles: [], detours: [] });
    expect(parseSshConfig(text, 'jump1').detours).toEqual(['proxyjump']);
    expect(parseSshConfig('', 'x')).toEqual({ identityFiles: [], detours: [] });
  });
});

describe('what is known before a connection', () => {
  let home: string;
  beforeEach(async () => {
    home = await fs.mkdtemp(join(tmpdir(), 'holdfast-sftp-'));
  });
  afterEach(() => fs.rm(home, { recursive: true }));

  const read = (text: string, options: Readonly<Record<string, string>> = {}, more = {}) =>
    readPlace(text, {
      options: new Map(Object.entries(options)),
      env: { HOME: home, USER: 'self', ...more },
    });

  it('comes from location, options and environment', async () => {
    const place = await read('host:/x', {
      'sftp.connections': '2',
      'sftp.identity-file': '~/key',
      's3.region': 'x',
    });
    expect(place).toMatchObject({
      host: 'host',
      port: 22,
      user: 'self',
      account: 'self@host',
      connections: 2,
      chosenKeys: [join(home, 'key')],
      location: 'sftp:host:/x',
    });
    expect(place.usualKeys).toEqual(['id_ed25519', 'id_ecdsa', 'id_rsa'].map((n) => join(home, '.ssh', n)));
    expect((await read('host:/x', {}, { SSH_AUTH_SOCK: '/run/agent' })).agent).toBe('/run/agent');
    const without = await read('host:/x', { 'sftp.agent': 'none' }, { SSH_AUTH_SOCK: '/run/agent' });
    expect(without.agent).toBeUndefined();
  });

  it('comes from ~/.ssh/config where the location is silent; what that can not do is said', async () => {
    await fs.mkdir(join(home, '.ssh'));
    const lines = ['Host attic', 'HostName attic.example.org', 'User them', 'Port 2200', 'ProxyJump x'];
    await fs.writeFile(join(home, '.ssh', 'config'), lines.join('\n'));
    const warnings: string[] = [];
    const o = { env: { HOME: home, USER: 'self' }, warn: (sentence: string) => void warnings.push(sentence) };
    expect(await readPlace('attic:x', o)).toMatchObject({
      host: 'attic.example.org',
      user: 'them',
      port: 2200,
      location: 'sftp:attic:x',
    });
    expect(warnings).toEqual([expect.stringContaining('proxyjump')]);
    expect(await readPlace('//me@attic:22/x', o)).toMatchObject({ user: 'me', port: 22 });
  });

  it('refuses options that mean nothing here', async () => {
    await expect(read('host:/x', { 'sftp.nonsense': '1' })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('sftp.connections'),
    });
    for (const name of ['sftp.command', 'sftp.args']) {
      await expect(read('host:/x', { [name]: 'ssh' })).rejects.toMatchObject({ code: 'unsupported' });
    }
    for (const n of ['0', '65', '1.5', 'x', '']) {
      await expect(read('host:/x', { 'sftp.connections': n })).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

describe('known_hosts', () => {
  const blob = (type: string, rest: string) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(type.length);
    return Buffer.concat([head, Buffer.from(type + rest)]).toString('base64');
  };
  const [one, two, three] = [blob('ssh-ed25519', 'one'), blob('ssh-rsa', 'two'), blob('ssh-rsa', 'three')];
  const hashed = (name: string) => {
    const salt = Buffer.from('twenty bytes of salt');
    const hash = createHmac('sha1', salt).update(name).digest('base64');
    return `|1|${salt.toString('base64')}|${hash}`;
  };
  const none = { keys: [], elsewhere: [], revoked: [] };

  it.each([
    ['plain', `host,10.0.0.1 ssh-ed25519 ${one} a comment`, 'HOST', 22],
    ['with a port', `[host]:2222 ssh-ed25519 ${one}`, 'host', 2222],
    ['hashed', `${hashed('host')} ssh-ed25519 ${one}`, 'host', 22],
    ['hashed with a port', `${hashed('[host]:2222')} ssh-ed25519 ${one}`, 'Host', 2222],
    ['a pattern', `*.org,h?st,!other ssh-ed25519 ${one}`, 'host', 22],
  ])('names a host %s', (_, line, host, port) => {
    expect(keysIn(`# comment\n\n${line}\r\n`, host, port)).toEqual({ ...none, keys: [one] });
    expect(keysIn(line, 'other', port)).toEqual(none);
  });

  it('tells revoked keys and other ports apart, and leaves authorities out', () => {
    const text = [
      `host ssh-rsa ${two}`,
      `@revoked host ssh-rsa ${three}`,
      `@cert-authority * ssh-ed25519 ${one}`,
      'host broken',
    ].join('\n');
    expect(keysIn(text, 'host', 22)).toEqual({ ...none, keys: [two], revoked: [three] });
    expect(keysIn(text, 'host', 2222)).toEqual({ keys: [], elsewhere: [two], revoked: [three] });
  });

  it('keeps what it had when a host is added', async () => {
    const home = await fs.mkdtemp(join(tmpdir(), 'holdfast-sftp-'));
    const path = join(home, '.ssh', 'known_hosts');
    try {
      await rememberHost(path, 'Host', 22, one);
      await fs.writeFile(path, `host ssh-ed25519 ${one}`);
      await rememberHost(path, 'host', 2222, two);
      const text = await fs.readFile(path, 'utf8');
      expect(text).toBe(`host ssh-ed25519 ${one}\n[host]:2222 ssh-rsa ${two}\n`);
      await expect(rememberHost(path, 'x', 22, 'bm8ga2V5')).rejects.toMatchObject({ code: 'usage' });
      expect((await fs.stat(join(home, '.ssh'))).mode & 0o777).toBe(0o700);
    } finally {
      await fs.rm(home, { recursive: true });
    }
  });

  it('shows keys as the tools of SSH do', () => {
    // The key of a well-known server, and what that says of it.
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
    expect(fingerprintOf(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
    expect(keyTypeOf(key)).toBe('ssh-ed25519');
    expect(keyTypeOf('AAAA')).toBe('');
  });
});

describe('packets', () => {
  it('hold the same bytes in as few pieces as fit', () => {
    const data = [3, 0, 10, 1, 1, 9, 4].map((n, i) => new Uint8Array(n).fill(i));
    const made = [...packets(data, 4)];
    expect(Buffer.concat(made).equals(Buffer.concat(data))).toBe(true);
    expect(made.map((p) => p.length)).toEqual([4, 4, 4, 4, 4, 4, 4]);
    expect([...packets([new Uint8Array(5)], 4)].map((p) => p.length)).toEqual([4, 1]);
    expect([...packets([], 4)]).toEqual([]);
  });
});
