/** What can go wrong between here and a server, as sentences to act on. Nothing a server or a library says is passed on unread. */
import { EngineError } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';

/** For one try to tell something to somebody, from the look-up of the name to the last byte of the answer. */
export const TIMEOUT_MS = 10_000;

export interface TimedOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Who is waited for, such as `mail.example.org:465`. */
  readonly where: string;
}

/**
 * Does `work`, which must obey its signal, but waits no longer than `TIMEOUT_MS`. Errors: 'timeout', 'cancelled', those of `work`.
 */
export async function inTime<T>(o: TimedOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = new AbortController();
  const signal = AbortSignal.any([o.signal, late.signal]);
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(stopReason(o, late.signal)), { once: true });
  });
  if (signal.aborted) throw stopReason(o, late.signal);
  o.clock.sleep(TIMEOUT_MS, done.signal).then(
    () => late.abort(),
    () => undefined, // `work` was faster
  );
  try {
    return await Promise.race([work(signal), stopped]);
  } finally {
    done.abort();
  }
}

function stopReason(o: TimedOptions, late: AbortSignal): EngineError {
  if (!late.aborted) return new EngineError('cancelled', 'The message was not sent: Holdfast stopped it.');
  const seconds = TIMEOUT_MS / 1000;
  return new EngineError(
    'timeout',
    `${o.where} did not answer within ${seconds} seconds. See whether the address and port are right and the server is up.`,
    { transient: true },
  );
}

const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/;
const NOT_TLS = /^(?:EPROTO|ERR_SSL_)/;

/**
 * The error for the code of a failed connection (of the system, of OpenSSL, or undici's).
 */
export function connectionError(code: string | undefined, where: string): EngineError {
  const transient = { transient: true };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EDNS') {
    return new EngineError(
      'unreachable',
      `There is no server called ${where}, or this computer is offline. See whether the name is right.`,
      transient,
    );
  }
  if (code === 'ECONNREFUSED') {
    return new EngineError(
      'unreachable',
      `${where} refuses the connection. See whether the port is right and the server is running.`,
      transient,
    );
  }
  if (code !== undefined && CERTIFICATE.test(code)) return certificateError(where, code);
  if (code !== undefined && NOT_TLS.test(code)) {
    return new EngineError(
      'unsupported',
      `${where} does not speak TLS as it should. See whether the port and the kind of encryption belong together.`,
    );
  }
  return new EngineError(
    'unreachable',
    `The connection to ${where} failed${code === undefined ? '' : ` (${code})`}. See whether the network is up.`,
    transient,
  );
}

/** A certificate that proves nothing; no further try makes it better. `code` may be ''. */
export function certificateError(where: string, code: string): EngineError {
  const why = certificateFault(code);
  return new EngineError(
    'permission',
    `The certificate of ${where} ${why}, so nothing was sent there. Use the name that the certificate was made for, or have the server show a valid one.`,
  );
}

function certificateFault(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'has expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') return 'is for another name';
  return 'is not trusted by this computer';
}

/** `text` without the secret, in the forms in which a server could echo it. */
export function withoutSecret(text: string, secret: string | undefined, user = ''): string {
  if (secret === undefined || secret === '') return text;
  const forms = [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`\u0000${user}\u0000${secret}`).toString('base64'),
  ];
  return forms.reduce((clean, form) => clean.replaceAll(form, '***'), text);
}
