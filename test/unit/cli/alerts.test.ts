import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Alert, Channel, type Target } from '../../../src/api/model/alert.ts';
import { useTemp } from '../../helpers/scope.ts';
import { documents, program } from './host-program.ts';

function channelOf(name: string, target: Target, said: Partial<Channel> = {}): Channel {
  const id = 'c1000000-1111-4111-8111-111111111111';
  return Channel.parse({ id, name, target, hasSecret: false, lastResult: null, ...said });
}

const hook = channelOf('Hook', { kind: 'webhook', url: 'https://hooks.example.org/geheim' });
const desktop = channelOf('Desk\x1b[2J', { kind: 'desktop' }, { id: 'c2000000-1111-4111-8111-111111111111' });
const mail = ['--server', 'smtp.example.org', '--from', 'a@example.org', '--to', 'b@example.org'];

describe('alerts', () => {
  const alert: Alert = {
    id: 'e1000000-1111-4111-8111-111111111111',
    kind: 'run-failed',
    subject: 'plan:x',
    title: 'A backup of Documents\x1b[2J failed.',
    text: 'The disk is full.\nFree some space.',
    startedAt: 0,
    endedAt: null,
    runId: null,
  };

  it('are listed: what holds first, then what is over', async () => {
    const over = { ...alert, id: desktop.id, title: 'Space is low.', endedAt: 30_000 };
    const p = program({ alerts: [over, alert], channels: [hook] });
    expect(await p.run('alerts')).toBe(0);
    expect(p.out()).toMatch(
      /^! .*A backup of Documents.* failed\."\n {4}The disk is full\.\n {4}Free some space\.\n {4}since .* \(1 minute ago\)\n\nOver:\n- Space is low\. \(.* to .*, just now\)\n$/,
    );
    expect(p.out()).not.toContain('\x1b');
    const json = program({ alerts: [alert] });
    expect(await json.run('alerts', 'list', '--json')).toBe(0);
    expect(json.json()).toEqual([[alert]]);
  });

  it('that reach nobody are not kept quiet about', async () => {
    const p = program();
    expect(await p.run('alerts')).toBe(0);
    expect(p.out()).toMatch(/^Nothing is wrong now\.\nNobody is told: there is no channel\..*\n$/);
  });
});

describe('alert channels', () => {
  const temp = useTemp();
  const file = (text: string) => {
    const name = path.join(temp.dir(), 'secret.txt');
    writeFileSync(name, text);
    return name;
  };

  it('are listed without what in an address may be secret', async () => {
    const monitor = channelOf(
      'Watch',
      { kind: 'monitor', url: 'https://hc.example.org/geheim', planId: null },
      { id: documents.id, lastResult: { at: 0, ok: false, message: 'No\x1b[2J.' } },
    );
    const off = { ...desktop, enabled: false };
    const p = program({ channels: [hook, monitor, off] });
    expect(await p.run('alerts', 'channels')).toBe(0);
    expect(p.out()).toMatch(
      /\nHook +c1000000 +webhook +hooks\.example\.org +all that goes wrong +none yet\n/,
    );
    expect(p.out()).toMatch(/\nWatch .* hc\.example\.org +every backup +failed, 1 minute ago: "No.*\."\n/);
    expect(p.out()).toMatch(/\n"Desk.* desktop +this computer +nothing: it is switched off /);
    expect(p.out()).not.toMatch(/geheim|\x1b/);
    const none = program();
    await none.run('alerts', 'channels');
    expect(none.out()).toMatch(/no channel yet/);
  });

  it.each<[string[], object]>([
    [
      ['email', 'Mail', ...mail, '--server', 'smtp.example.org:465', '--to', 'c@example.org'],
      { target: { host: 'smtp.example.org', port: 465, security: 'tls', user: null, to: { length: 2 } } },
    ],
    [['email', 'Mail', ...mail], { target: { port: 587, security: 'starttls' } }],
    [['email', 'Mail', ...mail, '--security', 'tls'], { target: { port: 465, security: 'tls' } }],
    [['email', 'Mail', ...mail, '--server', '[::1]:25'], { target: { host: '::1', port: 25 } }],
    [
      ['webhook', 'Hook', 'https://h.example.org/x', '--on', 'run-failed,no-backup', '--on', 'run-failed'],
      { on: ['run-failed', 'no-backup'], target: { kind: 'webhook', url: 'https://h.example.org/x' } },
    ],
    [['ntfy', 'Phone', 'https://ntfy.sh/x'], { target: { kind: 'ntfy' }, on: { length: 6 } }],
    [
      ['monitor', 'Watch', 'https://hc.example.org/x', '--plan', 'documents'],
      { target: { kind: 'monitor', planId: documents.id } },
    ],
    [['monitor', 'Watch', 'https://hc.example.org/x'], { target: { planId: null } }],
    [['desktop'], { name: 'Desktop', target: { kind: 'desktop' } }],
  ])('are added by %j', async (argv, expected) => {
    const p = program();
    expect(await p.run('alerts', 'add', ...argv)).toBe(0);
    const [channel] = [...p.host.channels.values()];
    expect(channel).toMatchObject({
      name: argv[1] ?? 'Desktop',
      enabled: true,
      hasSecret: false,
      ...expected,
    });
    expect(p.out()).toMatch(
      /^Added the channel \w+ \([0-9a-f]{8}\)\.\n`holdfast alerts test [0-9a-f]{8}` tries/,
    );
    expect([p.err(), p.host.faults]).toEqual(['', []]);
  });

  it.each<[string[], RegExp]>([
    [['email', 'Mail', '--server', 'x'], /needs --server, --from and --to/],
    [['email', 'Mail', ...mail, '--from', 'nobody'], /can't be like this: .*\n.*from/],
    [['email', 'Mail', ...mail, '--server', 'https://x'], /is not a server/],
    [['email', 'Mail', ...mail, '--server', 'x:70000'], /can't be like this/],
    [['email', 'Mail', ...mail, '--on', 'rain'], /"rain" is none of run-failed/],
    [['webhook', 'Other', 'ftp://x.example.org'], /has to begin with https/],
    [
      ['webhook', 'Other', 'https://ann:geheim@x.example.org'],
      /^The address holds a user name or a password/,
    ],
    [['monitor', 'Other', 'https://x.example.org', '--plan', 'nope'], /There is no plan "nope"/],
    [['ntfy', 'Hook', 'https://ntfy.sh/x'], /There is a channel "Hook" already/],
    [['webhook', 'Other'], /./],
    [['desktop', ' '], /can't be like this/],
  ])('are not added by %j', async (argv, message) => {
    const p = program({ channels: [hook], stdinIsTerminal: true, typed: [] });
    expect(await p.run('alerts', 'add', ...argv)).toBe(1);
    expect(p.err()).toMatch(message);
    expect(p.err()).not.toMatch(/geheim|Password of|Access token/);
    expect([...p.host.channels.values()]).toEqual([hook]);
  });

  it('get their secret from a file, or typed unseen, and never print it', async () => {
    const argv = ['alerts', 'add', 'email', 'Mail', ...mail, '--user', 'ann'];
    const p = program();
    expect(await p.run(...argv, '--secret-file', file('geheim\n'), '--json')).toBe(0);
    expect(p.json()).toMatchObject([{ name: 'Mail', hasSecret: true, target: { user: 'ann' } }]);
    const q = program({ stdinIsTerminal: true, typed: ['geheim\r'] });
    expect(await q.run(...argv)).toBe(0);
    expect(q.err()).toBe('Password of ann at smtp.example.org: \n');
    for (const { host, out, err } of [p, q]) {
      expect(host.calls).toMatchObject([{ name: 'alerts.addChannel', input: { secret: 'geheim' } }]);
      expect(out() + err()).not.toContain('geheim');
    }
  });

  it('that sign in by name are not added without a password', async () => {
    const argv = ['alerts', 'add', 'email', 'Mail', ...mail, '--user', 'ann'];
    for (const setup of [{ stdinIsTerminal: true, typed: ['\r'] }, { typed: [] }]) {
      const p = program(setup);
      expect(await p.run(...argv)).toBe(1);
      expect(p.err()).toContain('No password was given.\nGive it with --secret-file.\n');
      expect(p.host.channels.size).toBe(0);
    }
    const p = program();
    expect(await p.run(...argv, '--secret-file', path.join(temp.dir(), 'none.txt'))).toBe(1);
    expect(p.host.channels.size).toBe(0);
  });

  it('may have a token, or none', async () => {
    const argv = ['alerts', 'add', 'ntfy', 'Phone', 'https://ntfy.sh/x'];
    const secrets = [];
    for (const typed of ['\r', 'tk_1\r']) {
      const p = program({ stdinIsTerminal: true, typed: [typed] });
      expect(await p.run(...argv)).toBe(0);
      secrets.push(p.host.calls.map(({ input }) => (input as { secret?: string }).secret));
    }
    expect(secrets).toEqual([[undefined], ['tk_1']]);
  });

  it('warn where a secret would travel for all to read', async () => {
    const p = program();
    const secret = ['--secret-file', file('geheim')];
    await p.run('alerts', 'add', 'webhook', 'A', 'http://h.example.org/x', ...secret);
    await p.run('alerts', 'add', 'email', 'B', ...mail, '--user', 'ann', '--security', 'none', ...secret);
    await p.run('alerts', 'add', 'webhook', 'C', 'https://h.example.org/x', ...secret);
    await p.run('alerts', 'add', 'webhook', 'D', 'http://h.example.org/x');
    expect(p.host.channels.size).toBe(4);
    expect(p.err().match(/unencrypted/g)).toHaveLength(2);
  });

  const byMail = channelOf(
    'Mail',
    {
      kind: 'email',
      host: 'smtp.example.org',
      port: 587,
      security: 'starttls',
      user: 'ann',
      from: 'a@example.org',
      to: ['b@example.org'],
    },
    { id: 'c3000000-1111-4111-8111-111111111111', hasSecret: true, on: ['run-failed'] },
  );
  const watch = channelOf(
    'Watch',
    { kind: 'monitor', url: 'https://hc.example.org/x', planId: documents.id },
    { id: 'c4000000-1111-4111-8111-111111111111' },
  );
  const everything = { channels: [hook, desktop, byMail, watch] };

  it.each<[string[], object]>([
    [['hook', '--name', 'Other'], { name: 'Other', target: hook.target }],
    [['hook', '--address', 'https://h.example.org/y'], { target: { url: 'https://h.example.org/y' } }],
    [['hook', '--on', 'run-failed', '--disable'], { on: ['run-failed'], enabled: false }],
    [['c2', '--disable=false', '--name', 'Desk'], { name: 'Desk', enabled: true }],
    [['watch', '--plan', ''], { target: { url: 'https://hc.example.org/x', planId: null } }],
    [
      ['mail', '--to', 'c@example.org', '--to', 'd@example.org'],
      {
        on: ['run-failed'],
        hasSecret: true,
        target: { user: 'ann', to: ['c@example.org', 'd@example.org'] },
      },
    ],
    [['mail', '--security', 'tls'], { target: { host: 'smtp.example.org', port: 465, security: 'tls' } }],
    [['mail', '--server', 'smtp.example.org:465'], { target: { port: 465, security: 'tls' } }],
    [['mail', '--server', 'smtp.example.org:2525'], { target: { port: 2525, security: 'starttls' } }],
    [['mail', '--user', ''], { hasSecret: false, target: { user: null } }],
    [['mail', '--secret-file', ''], { hasSecret: false, target: { user: 'ann' } }],
  ])('are changed by %j, and only in what is given', async (argv, expected) => {
    const p = program(everything);
    expect(await p.run('alerts', 'edit', ...argv)).toBe(0);
    const changed = [...p.host.channels.values()].filter((one) => !everything.channels.includes(one));
    expect(changed).toMatchObject([expected]);
    expect(p.out()).toMatch(/^Changed the channel \w+\.\n$/);
    expect([p.err(), p.host.faults]).toEqual(['', []]);
  });

  it.each<[string[], RegExp]>([
    [['hook'], /Nothing is given/],
    [['hook', '--to', 'c@example.org'], /the kind webhook has no --to\.\n.*--address.*--disable/],
    [['c2', '--secret-file', 'x'], /the kind desktop has no --secret-file/],
    [['watch', '--on', 'run-failed'], /the kind monitor has no --on/],
    [['hook', '--name', 'Mail'], /There is a channel "Mail" already/],
    [['hook', '--name', ' '], /can't be like this/],
    [['hook', '--address', 'https://ann:geheim@x.example.org'], /holds a user name or a password/],
    [['mail', '--user', 'bob'], /No password was given/],
    [['nobody', '--disable'], /There is no channel "nobody"/],
  ])('are not changed by %j', async (argv, message) => {
    const p = program({ ...everything, typed: [] });
    expect(await p.run('alerts', 'edit', ...argv)).toBe(1);
    expect(p.err()).toMatch(message);
    expect(p.err()).not.toContain('geheim');
    expect([...p.host.channels.values()]).toEqual(everything.channels);
  });

  it('keep their secret, or get another; where it would go elsewhere, that is said', async () => {
    const p = program(everything);
    await p.run('alerts', 'edit', 'mail', '--server', 'mail.example.net');
    expect(p.err()).toMatch(/stays, and goes to the new address/);
    await p.run('alerts', 'edit', 'mail', '--secret-file', file('geheim\n'));
    await p.run('alerts', 'edit', 'mail', '--security', 'none');
    expect(p.err().match(/unencrypted/g)).toHaveLength(1);
    const secrets = p.host.calls.map(({ input }) => (input as { secret?: string }).secret);
    expect(secrets).toEqual([undefined, 'geheim', undefined]);
    expect(p.out() + p.err()).not.toContain('geheim');
  });

  it('are tried out, and the exit code says how that went', async () => {
    const p = program({ channels: [hook, desktop] });
    expect(await p.run('alerts', 'test', 'hook')).toBe(0);
    expect(p.out()).toBe('Hook has taken the message.\n');
    expect(await p.run('alerts', 'test', 'c2')).toBe(1);
    expect(p.err()).toBe('There is no desktop here.\n');
    const json = program({ channels: [desktop] });
    expect(await json.run('alerts', 'test', 'c2', '--json')).toBe(1);
    expect(json.json()).toEqual([{ ok: false, message: 'There is no desktop here.' }]);
    expect(json.err()).toBe('');
  });

  it('are removed by name', async () => {
    const p = program({ channels: [hook] });
    expect(await p.run('alerts', 'remove', 'Phone')).toBe(1);
    expect(p.err()).toMatch(/There is no channel "Phone"\.\n`holdfast alerts channels` shows them all\./);
    expect(await p.run('alerts', 'remove', 'Hook')).toBe(0);
    expect(p.out()).toBe('Removed the channel Hook.\n');
    expect(p.host.channels.size).toBe(0);
  });
});
