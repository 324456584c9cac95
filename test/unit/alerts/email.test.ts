/** E-mail, against a real SMTP server. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../src/api/model/alert.ts';
import { trustCertificate } from '../../helpers/certificate.ts';
import { backupRunOf } from '../../helpers/host-values.ts';
import { deadPort } from '../../helpers/http-sink.ts';
import { readMail, type SmtpOptions, type SmtpSink, startSmtp } from '../../helpers/smtp.ts';
import { until } from '../../helpers/until.ts';
import { openDesk } from './support.ts';

type Email = Extract<Target, { kind: 'email' }>;

const PASSWORD = 'correct horse/battery+staple';
const login = { user: 'ann', password: PASSWORD };

const emailTo = (port: number, said: Partial<Email> = {}): Email => ({
  kind: 'email',
  host: 'localhost',
  port,
  security: 'none',
  user: null,
  from: 'holdfast@example.org',
  to: ['ann@example.org'],
  ...said,
});

const failed = (planName: string, error = 'The disk is not there.') =>
  backupRunOf(randomUUID(), randomUUID(), {
    state: 'failed',
    planName,
    error: { code: 'unreachable', message: error, transient: true },
  });

/** A desk with one e-mail channel to a server of that kind. */
async function mailDesk(o: SmtpOptions, said: Partial<Email> = {}, secret?: string) {
  const server = await startSmtp(o);
  const desk = openDesk({ desktop: false });
  const security = o.security ?? 'none';
  const channel = await desk.addChannel(emailTo(server.port, { security, ...said }), {}, secret);
  return { server, desk, channel, [Symbol.asyncDispose]: () => server.close() };
}

function only(server: SmtpSink) {
  expect(server.mails).toHaveLength(1);
  return readMail(server.mails[0]?.raw ?? '');
}

describe('a message', () => {
  it('says what happened, what it means and what to do, as text and as HTML', async () => {
    await using it = await mailDesk({}, { to: ['ann@example.org', 'bob@example.org'] });
    it.desk.alerts.runEnded(failed('Documents'));
    await it.desk.alerts.settled();
    const mail = only(it.server);
    expect(it.server.mails[0]).toMatchObject({
      from: 'holdfast@example.org',
      to: ['ann@example.org', 'bob@example.org'],
    });
    expect(mail.headers.get('subject')).toBe(
      'Holdfast on laptop: The backup of “Documents” to “USB disk” failed',
    );
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.text.trim().split(/\r?\n\r?\n/)).toEqual([
      'The backup of “Documents” to “USB disk” failed: The disk is not there.',
      'What has changed since the last backup that went well is not safe there yet. Earlier versions are untouched.',
      'The cause may pass by itself. If it does not: Connect the disk or the network, then run it again.',
      expect.stringContaining('Sent by Holdfast on laptop.'),
    ]);
    expect(mail.html).toContain(
      '<p>The backup of “Documents” to “USB disk” failed: The disk is not there.</p>',
    );
    expect(it.desk.channel(it.channel.id).lastResult).toMatchObject({
      ok: true,
      message: 'localhost has taken the message for ann@example.org, bob@example.org.',
    });
  });

  it('of recovery answers the first', async () => {
    await using it = await mailDesk({});
    const run = failed('Documents');
    it.desk.alerts.runEnded(run);
    it.desk.alerts.runEnded({ ...run, state: 'succeeded', error: null });
    await it.desk.alerts.settled();
    const [first, second] = it.server.mails.map((mail) => readMail(mail.raw).headers);
    expect(second?.get('in-reply-to')).toBe(first?.get('message-id'));
    expect(second?.get('message-id')).not.toBe(first?.get('message-id'));
  });

  it('takes no header from a name, and no markup', async () => {
    await using it = await mailDesk({});
    const name = 'a\r\nBcc: eve@example.org\r\n\r\n<img src=x onerror="alert(1)">\u202e';
    it.desk.alerts.runEnded(failed(name, '<script>&\r\n.\r\nRSET'));
    await it.desk.alerts.settled();
    const mail = only(it.server);
    expect(it.server.mails[0]?.to).toEqual(['ann@example.org']);
    expect([...mail.headers.keys()]).not.toContain('bcc');
    expect(mail.headers.get('subject')).toContain('“a Bcc: eve@example.org <img');
    expect(mail.html).not.toMatch(/<(img|script)/);
    expect(mail.html).toContain('&lt;script&gt;&amp; . RSET');
    expect(mail.text).not.toContain('\u202e');
  });

  it.each([
    ['tls', 'ann'],
    ['starttls', 'ann'],
  ] as const)('goes by %s with a password', async (security, user) => {
    using _ = trustCertificate();
    await using it = await mailDesk({ security, login }, { user }, PASSWORD);
    it.desk.alerts.runEnded(failed('Documents'));
    await it.desk.alerts.settled();
    expect(it.server.mails[0]).toMatchObject({ secure: true, user: 'ann' });
  });
});

describe('a test', () => {
  it('says that the message was taken', async () => {
    await using it = await mailDesk({});
    expect(await it.desk.alerts.test(it.channel.id)).toEqual({
      ok: true,
      message: 'localhost has taken the message for ann@example.org.',
    });
    expect(only(it.server).text).toContain('It says nothing about your backups.');
    expect(it.desk.channel(it.channel.id).lastResult).toMatchObject({ ok: true });
  });

  it('advises against a password in the clear', async () => {
    await using it = await mailDesk({ login }, { user: 'ann' }, PASSWORD);
    expect(await it.desk.alerts.test(it.channel.id)).toEqual({
      ok: true,
      message: expect.stringContaining('The password went there unencrypted'),
    });
  });

  it('tells a refused recipient from the others', async () => {
    await using it = await mailDesk({}, { to: ['ann@example.org', 'bob@example.org'] });
    it.server.refusal = { at: 'recipient', status: 550, text: 'No such user', only: 'bob@example.org' };
    expect(await it.desk.alerts.test(it.channel.id)).toEqual({
      ok: true,
      message: 'localhost has taken the message for ann@example.org, but not for bob@example.org.',
    });
  });

  const failures: readonly [string, SmtpOptions, Partial<Email>, string | undefined, RegExp][] = [
    [
      'a wrong password',
      { login },
      { user: 'ann' },
      'wrong-secret',
      /does not accept the user name and password.*app password.*535/,
    ],
    [
      'no password',
      { login },
      { user: 'ann' },
      undefined,
      /There is no password for this channel\. Enter it again\./,
    ],
    [
      'a certificate that is not trusted',
      { security: 'tls' },
      {},
      undefined,
      /certificate of localhost:\d+ is not trusted/,
    ],
    [
      'the same after STARTTLS',
      { security: 'starttls' },
      {},
      undefined,
      /certificate of localhost:\d+ is not trusted/,
    ],
    [
      'no STARTTLS',
      {},
      { security: 'starttls' },
      undefined,
      /offers no encryption by STARTTLS, so nothing was sent/,
    ],
    ['TLS where there is none', {}, { security: 'tls' }, undefined, /does not speak TLS as it should/],
    [
      'an unknown host',
      {},
      { host: 'mail.invalid' },
      undefined,
      /There is no server called mail\.invalid:\d+, or this computer is offline/,
    ],
  ];
  it.each(failures)('says what to do about %s', async (_, server, said, secret, expected) => {
    await using it = await mailDesk(server, said, secret);
    const result = await it.desk.alerts.test(it.channel.id);
    expect(result).toEqual({ ok: false, message: expect.stringMatching(expected) });
    expect(it.desk.channel(it.channel.id).lastResult).toEqual({ at: it.desk.clock.now(), ...result });
    expect(it.server.mails).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const desk = openDesk();
    const channel = await desk.addChannel(emailTo(await deadPort()));
    expect(await desk.alerts.test(channel.id)).toEqual({
      ok: false,
      message: expect.stringMatching(/^localhost:\d+ refuses the connection\. See whether the port is right/),
    });
  });

  it.each(['sender', 'recipient', 'message'] as const)('passes on why the %s is refused', async (at) => {
    await using it = await mailDesk({});
    it.server.refusal = { at, status: 550, text: 'We do not like that' };
    expect(await it.desk.alerts.test(it.channel.id)).toEqual({
      ok: false,
      message: expect.stringContaining('does not take the message. It said: 550 We do not like that'),
    });
  });

  it('waits ten seconds for a server that says nothing, and leaves it then', async () => {
    await using it = await mailDesk({});
    it.server.mute = true;
    const result = it.desk.alerts.test(it.channel.id);
    await until(() => it.server.connections === 1);
    await it.desk.clock.advance(10_000);
    expect(await result).toEqual({
      ok: false,
      message: expect.stringContaining('did not answer within 10 seconds'),
    });
  });

  it('obeys its signal', async () => {
    await using it = await mailDesk({});
    it.server.mute = true;
    const stop = new AbortController();
    const result = it.desk.alerts.test(it.channel.id, { signal: stop.signal });
    await until(() => it.server.connections === 1);
    stop.abort();
    await expect(result).rejects.toMatchObject({ code: 'cancelled' });
    expect(it.desk.channel(it.channel.id).lastResult).toBeNull();
    await expect(it.desk.alerts.test(it.channel.id, { signal: stop.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(it.desk.alerts.test(randomUUID())).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the password', () => {
  it('is nowhere but on the way to the server, even where that repeats it', async () => {
    await using it = await mailDesk({ login }, { user: 'ann' }, PASSWORD);
    const base64 = Buffer.from(PASSWORD).toString('base64');
    const plain = Buffer.from(`\0ann\0${PASSWORD}`).toString('base64');
    it.server.refusal = { at: 'login', status: 535, text: `No: ${PASSWORD} ${base64} ${plain}` };
    const { message } = await it.desk.alerts.test(it.channel.id);
    it.desk.alerts.runEnded(failed('Documents'));
    await it.desk.alerts.settled();
    const seen = JSON.stringify([
      message,
      it.desk.log,
      it.desk.changes,
      it.desk.store.channels.list(),
      it.desk.store.alerts.list(10),
    ]);
    expect(it.desk.log).toHaveLength(1);
    expect(message).toContain('No: *** *** ***');
    for (const form of [PASSWORD, base64, plain]) expect(seen).not.toContain(form);
  });
});
