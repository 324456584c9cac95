/** E-mail by SMTP. */
import { createTransport } from 'nodemailer';
import { EngineError } from '../api/errors.ts';
import type { Target } from '../api/model/alert.ts';
import { certificateError, connectionError, withoutSecret } from './network.ts';
import type { Delivery, Note } from './note.ts';
import { line, sentence } from './text.ts';

type EmailTarget = Extract<Target, { kind: 'email' }>;

/**
 * Sends one message; answers how it went as a sentence.
 * Errors: 'permission' (user, password, certificate, sender or recipients), 'unsupported'; transient: 'unreachable', 'io'.
 */
export async function sendEmail(target: EmailTarget, note: Note, d: Delivery): Promise<string> {
  if (target.user !== null && d.secret === undefined) {
    throw new EngineError('permission', 'There is no password for this channel. Enter it again.');
  }
  const transport = transportTo(target, d);
  try {
    const sent = await transport.sendMail({ ...mailOf(target, note, d.hostname), signal: d.signal });
    return outcome(target, sent.rejected.map(String));
  } catch (e) {
    throw smtpError(e, target, d.secret);
  } finally {
    transport.close();
  }
}

function transportTo(target: EmailTarget, d: Delivery) {
  return createTransport({
    host: target.host,
    port: target.port,
    secure: target.security === 'tls',
    requireTLS: target.security === 'starttls',
    ignoreTLS: target.security === 'none',
    ...(target.user === null ? {} : { auth: { user: target.user, pass: d.secret ?? '' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function mailOf(target: EmailTarget, note: Note, hostname: string) {
  const computer = line(hostname, 120);
  const footer = `Sent by Holdfast on ${computer}.`;
  const domain = target.from.slice(target.from.lastIndexOf('@') + 1);
  const idOf = (event: string) => `<${note.id}.${event}@${domain}>`;
  return {
    from: { name: 'Holdfast', address: target.from },
    to: [...target.to],
    subject: `Holdfast on ${computer}: ${line(note.title, 300)}`,
    text: `${note.text.replaceAll('\n', '\n\n')}\n\n-- \n${footer}\n`,
    html: htmlOf(note, footer),
    messageId: idOf(note.event),
    ...(note.event === 'recovery' ? { inReplyTo: idOf('alert'), references: idOf('alert') } : {}),
    // RFC 3834: so that nobody's holiday answer comes back.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

function htmlOf(note: Note, footer: string): string {
  const paragraphs = note.text.split('\n').map((one) => `<p>${escaped(one)}</p>`);
  return [
    '<!doctype html><html lang="en"><body style="font-family: sans-serif">',
    `<h2>${escaped(note.title)}</h2>`,
    ...paragraphs,
    `<p><small>${escaped(footer)}</small></p>`,
    '</body></html>',
  ].join('\n');
}

function outcome(target: EmailTarget, rejected: readonly string[]): string {
  const taken = `${target.host} has taken the message for ${target.to.filter((to) => !rejected.includes(to)).join(', ')}`;
  if (rejected.length > 0) return `${taken}, but not for ${rejected.join(', ')}.`;
  const inTheClear = target.security === 'none' && target.user !== null;
  return inTheClear
    ? `${taken}. The password went there unencrypted: choose TLS or STARTTLS if you can.`
    : `${taken}.`;
}

interface SmtpFailure {
  /** Nodemailer's. */
  readonly code?: unknown;
  /** The system's, where there is one. */
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly message: string;
}

function smtpError(e: unknown, target: EmailTarget, secret: string | undefined): EngineError {
  if (e instanceof EngineError) return e;
  const failure: SmtpFailure = e instanceof Error ? e : { message: '' };
  const where = `${target.host}:${target.port}`;
  const said = withoutSecret(
    typeof failure.response === 'string' ? failure.response : '',
    secret,
    target.user ?? '',
  );
  const answer = said === '' ? '' : ` It said: ${sentence(line(said, 200))}`;
  // RFC 5321: 4yz may pass, 5yz will not.
  const passing = Number(failure.responseCode) >= 400 && Number(failure.responseCode) < 500;
  switch (failure.code) {
    case 'EAUTH':
      return new EngineError(
        'permission',
        `${where} does not accept the user name and password. Many providers want an app password here.${answer}`,
        { transient: passing },
      );
    case 'EENVELOPE':
    case 'EMESSAGE':
      return new EngineError('permission', `${where} does not take the message.${answer}`, {
        transient: passing,
      });
    case 'ETLS':
      return tlsError(failure.message, where);
    default:
      return socketError(failure, where, answer);
  }
}

/** Nodemailer keeps only the words of what went wrong after STARTTLS. */
function tlsError(message: string, where: string): EngineError {
  if (/altname|does not match/i.test(message)) return certificateError(where, 'ERR_TLS_CERT_ALTNAME_INVALID');
  if (/expired/i.test(message)) return certificateError(where, 'CERT_HAS_EXPIRED');
  if (/certificate|self.signed/i.test(message)) return certificateError(where, '');
  return new EngineError(
    'unsupported',
    `${where} offers no encryption by STARTTLS, so nothing was sent. See whether the port belongs to TLS instead.`,
  );
}

function socketError(failure: SmtpFailure, where: string, answer: string): EngineError {
  const code = failure.originalCode ?? failure.code;
  if (failure.code === 'ESOCKET' || failure.code === 'EDNS') {
    return connectionError(typeof code === 'string' ? code : undefined, where);
  }
  if (failure.code === 'ETIMEDOUT') return connectionError('ETIMEDOUT', where);
  return new EngineError(
    'unreachable',
    `${where} broke off the conversation.${answer || ' See whether the port and the kind of encryption belong together.'}`,
    { transient: true },
  );
}
