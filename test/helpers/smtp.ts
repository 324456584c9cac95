/** A real SMTP server on this machine that keeps what it is sent, and refuses as a test wants. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { CERTIFICATE, KEY } from './certificate.ts';
import { until } from './until.ts';

export interface SmtpOptions {
  /** 'starttls' offers it; 'none' does not. */
  readonly security?: 'tls' | 'starttls' | 'none';
  /** Who may send; everybody unless told. */
  readonly login?: { readonly user: string; readonly password: string };
}

export interface Refusal {
  readonly at: 'login' | 'sender' | 'recipient' | 'message';
  /** 4yz may pass, 5yz will not. */
  readonly status: number;
  readonly text: string;
  /** Of 'recipient': only this one. */
  readonly only?: string;
}

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  /** It came over TLS. */
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** How many clients have connected. */
  readonly connections: number;
  refusal: Refusal | null;
  /** Take connections, but never say a word. */
  mute: boolean;
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startSmtp(o: SmtpOptions = {}): Promise<SmtpSink> {
  const security = o.security ?? 'none';
  const mails: ReceivedMail[] = [];
  const state = { connections: 0 };
  const refused = (at: Refusal['at'], address?: string): Error | null => {
    const { refusal } = sink;
    if (refusal?.at !== at || (refusal.only !== undefined && refusal.only !== address)) return null;
    return Object.assign(new Error(refusal.text), { responseCode: refusal.status });
  };
  const handlers: SMTPServerOptions = {
    onConnect(_session, done) {
      state.connections++;
      if (!sink.mute) done();
    },
    onAuth(auth, _session, done) {
      const right = auth.username === o.login?.user && auth.password === o.login?.password;
      const error = refused('login');
      if (error || !right) return done(error ?? new Error('Username and Password not accepted'));
      done(null, { user: auth.username });
    },
    onMailFrom: (address, _session, done) => done(refused('sender', address.address)),
    onRcptTo: (address, _session, done) => done(refused('recipient', address.address)),
    async onData(stream, session, done) {
      const raw = await text(stream);
      const error = refused('message');
      if (error) return done(error);
      const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
      const to = session.envelope.rcptTo.map((one) => one.address);
      mails.push({ from, to, raw, secure: session.secure, user: session.user });
      done();
    },
  };
  const server = new SMTPServer({
    ...handlers,
    secure: security === 'tls',
    key: KEY,
    cert: CERTIFICATE,
    authOptional: o.login === undefined,
    allowInsecureAuth: true,
    disabledCommands: [
      ...(security === 'starttls' ? [] : ['STARTTLS']),
      ...(o.login === undefined ? ['AUTH'] : []),
    ],
    disableReverseLookup: true,
    closeTimeout: 1,
  });
  // A client that breaks off is what some tests are about.
  server.on('error', () => undefined);
  const sink: SmtpSink = {
    get port() {
      return (server.server.address() as AddressInfo).port;
    },
    mails,
    get connections() {
      return state.connections;
    },
    refusal: null,
    mute: false,
    received: (count) => until(() => mails.length >= count),
    close: () => new Promise((resolve) => server.close(resolve)),
    [Symbol.asyncDispose]: () => (server.server.listening ? sink.close() : Promise.resolve()),
  };
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return sink;
}

export interface ReadMail {
  /** By name in small letters, unfolded and decoded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly html: string;
}

/** As much of MIME as nodemailer writes for a text with an alternative in HTML. */
export function readMail(raw: string): ReadMail {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1];
  const parts = boundary === undefined ? [raw] : body.split(`--${boundary}`).map((part) => part.trimStart());
  const partOf = (type: string): string => {
    const part = parts.map(split).find((one) => one.headers.get('content-type')?.startsWith(type));
    return part ? decoded(part.body, part.headers.get('content-transfer-encoding') ?? '7bit') : '';
  };
  return { headers, text: partOf('text/plain'), html: partOf('text/html') };
}

function split(raw: string): { readonly headers: Map<string, string>; readonly body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = lines.map((one): [string, string] => {
    const colon = one.indexOf(':');
    return [one.slice(0, colon).toLowerCase(), words(one.slice(colon + 1).trim())];
  });
  return { headers: new Map(headers), body: raw.slice(end + 4) };
}

/** Encoded words (RFC 2047). */
export function words(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, data: string) =>
      encoding.toLowerCase() === 'b'
        ? Buffer.from(data, 'base64').toString('latin1')
        : quotedPrintable(data.replaceAll('_', ' ')),
    )
    .replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString());
}

function quotedPrintable(data: string): string {
  return data
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  return encoding === 'quoted-printable' ? Buffer.from(quotedPrintable(body), 'latin1').toString() : body;
}
