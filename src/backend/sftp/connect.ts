/**
 * Makes a connection: the server proves who it is, then we log in, then SFTP begins. Until the server is known nothing about the
 * login leaves this machine.
 */
import ssh2, { type Client, type ConnectConfig, type ServerHostKeyAlgorithm, type SFTPWrapper } from 'ssh2';
import { EngineError, messageOf } from '../../api/errors.ts';
import { cancellation } from '../calls.ts';
import { translateNetworkError } from '../http/client.ts';
import type { Login } from '../registry.ts';
import { fingerprintOf, type KnownKeys, keyTypeOf, readKnownHosts } from './known-hosts.ts';
import { connectionLost, Link, silence } from './link.ts';
import { type Attempts, type Handler, handlerOf, loginRefused } from './login.ts';
import type { Place } from './place.ts';
import { hostAndPort } from './target.ts';

const HANDSHAKE_MS = 60_000;
const KEEPALIVE_MS = 30_000;

/** Which algorithms prove a key of a type, in the order of our liking; SHA-1 last, for old devices. */
const ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};

/** What is believed of a server's identity. */
export interface Trust extends KnownKeys {
  /** Fingerprints that the person accepted for this storage; with one of them, files of known servers don't count. */
  readonly accepted: readonly string[];
}

export async function trustOf(place: Place, login: Login): Promise<Trust> {
  const known = await readKnownHosts(place.knownHosts, place.host, place.port);
  const accepted = (login.hostKey ?? '').split(/[\s,]+/).filter((f) => f !== '');
  return { ...known, accepted: accepted.map((f) => f.replace(/=+$/, '')) };
}

type Verdict = 'trusted' | 'unknown' | 'changed' | 'revoked';

function judge(key: Buffer, trust: Trust): Verdict {
  const text = key.toString('base64');
  if (trust.revoked.includes(text)) return 'revoked';
  if (trust.accepted.length > 0) return trust.accepted.includes(fingerprintOf(key)) ? 'trusted' : 'changed';
  if (trust.keys.includes(text) || trust.elsewhere.includes(text)) return 'trusted';
  // A key of another type than the known ones is no less suspicious: whoever stands between can't show the known one.
  return trust.keys.length > 0 ? 'changed' : 'unknown';
}

const SENTENCES = {
  unknown: (name: string) => `The server ${name} is not known yet.`,
  changed: (name: string) =>
    `The server ${name} shows another key than before: it was set up anew, or somebody stands between it and you.`,
  revoked: (name: string) => `The server ${name} shows a key that is marked as revoked.`,
} as const;

const HINTS = {
  unknown:
    'Compare the fingerprint with the one that the server’s owner gives you, and accept it if they agree.',
  changed: 'Ask the owner of the server. Accept the new key only when you know why it changed.',
  revoked: 'Don’t connect. Ask the owner of the server.',
} as const;

function unverified(place: Place, key: Buffer, verdict: Exclude<Verdict, 'trusted'>): EngineError {
  const fingerprint = fingerprintOf(key);
  const keyType = keyTypeOf(key);
  const name = hostAndPort(place.host, place.port);
  return new EngineError(
    'host-unverified',
    `${SENTENCES[verdict](name)} Its ${keyType} key has the fingerprint ${fingerprint}.`,
    {
      hint: HINTS[verdict],
      context: {
        fingerprint,
        keyType,
        host: place.host,
        port: place.port,
        changed: verdict !== 'unknown',
        publicKey: key.toString('base64'),
        ...(verdict === 'revoked' ? { revoked: true } : {}),
      },
    },
  );
}

/** Known types first, or a server with several keys would show one that we do not know. */
function algorithmsFor(trust: Trust, refused: ReadonlySet<string>): readonly ServerHostKeyAlgorithm[] {
  const known = new Set([...trust.keys, ...trust.elsewhere].map(keyTypeOf));
  const types = Object.keys(ALGORITHMS).filter((type) => !refused.has(type));
  const sorted = [...types.filter((t) => known.has(t)), ...types.filter((t) => !known.has(t))];
  return sorted.flatMap((type) => ALGORITHMS[type] ?? []);
}

/**
 * A fingerprint does not tell the type of its key. So where the key that a server shows is not the accepted one, it is asked
 * for its keys of other types before it is called changed. Errors: host-unverified, auth-expired, unreachable, timeout, permission,
 * unsupported.
 */
export async function connect(
  place: Place,
  trust: Trust,
  attempts: Attempts,
  signal: AbortSignal | undefined,
): Promise<Link> {
  const refused = new Set<string>();
  let first: EngineError | undefined;
  for (;;) {
    try {
      return await connectOnce(place, trust, attempts, algorithmsFor(trust, refused), signal);
    } catch (e) {
      first ??= e instanceof EngineError ? e : undefined;
      const { keyType, revoked } = e instanceof EngineError ? e.context : {};
      const another = trust.accepted.length > 0 && revoked === undefined && typeof keyType === 'string';
      if (!another || refused.has(keyType)) throw first ?? e;
      refused.add(keyType);
      if (algorithmsFor(trust, refused).length === 0) throw first ?? e;
    }
  }
}

async function connectOnce(
  place: Place,
  trust: Trust,
  attempts: Attempts,
  serverHostKey: readonly ServerHostKeyAlgorithm[],
  signal: AbortSignal | undefined,
): Promise<Link> {
  if (signal?.aborted) throw cancellation(signal);
  const client = new ssh2.Client();
  const auth = handlerOf(place, attempts);
  const seen: { error?: EngineError } = {};
  const config: ConnectConfig = {
    ...socketConfig(place),
    algorithms: { serverHostKey: [...serverHostKey] },
    authHandler: auth.next,
    hostVerifier: (key: Buffer) => {
      const verdict = judge(key, trust);
      if (verdict !== 'trusted') seen.error = unverified(place, key, verdict);
      return verdict === 'trusted';
    },
  };
  const onAbort = () => client.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await logIn(client, config, place, auth);
    const sftp = await beginSftp(client, place);
    return new Link(client, sftp, hostAndPort(place.host, place.port), place.stuckMs);
  } catch (e) {
    client.destroy();
    if (signal?.aborted) throw cancellation(signal);
    throw seen.error ?? translateFailure(e, place, auth, attempts);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function socketConfig(place: Place): ConnectConfig {
  const every = Math.max(1, Math.min(KEEPALIVE_MS, Math.floor(place.stuckMs / 2)));
  return {
    host: place.host,
    port: place.port,
    username: place.user,
    readyTimeout: Math.min(HANDSHAKE_MS, place.stuckMs),
    keepaliveInterval: every,
    keepaliveCountMax: Math.max(1, Math.ceil(place.stuckMs / every)),
  };
}

function levelOf(e: unknown): string {
  return e instanceof Error && 'level' in e && typeof e.level === 'string' ? e.level : '';
}

async function logIn(client: Client, config: ConnectConfig, place: Place, auth: Handler): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('close', () => reject(connectionLost(hostAndPort(place.host, place.port))));
    client.once('change password', () => reject(passwordExpired(place)));
    client.on('error', (e) => {
      // An agent that is not there, or a key that can't sign: ssh2 tells, and goes on with the next attempt.
      const passing = levelOf(e) === 'agent' || levelOf(e) === 'client-authentication';
      if (!passing || auth.exhausted()) reject(e);
    });
    client.connect(config);
    client.setNoDelay(true);
  });
}

/** Nobody is here who could choose a new one. */
function passwordExpired(place: Place): EngineError {
  return new EngineError('auth-expired', `${place.account} wants the password to be changed first.`, {
    hint: 'Log in to the server by other means, change the password there, and set it anew here.',
  });
}

/** Errors: permission where the login has no SFTP. */
async function beginSftp(client: Client, place: Place): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(connectionLost(hostAndPort(place.host, place.port)));
    const timer = setTimeout(() => reject(silence(place.host, place.stuckMs)), place.stuckMs);
    client.once('close', lost);
    client.sftp((e, sftp) => {
      clearTimeout(timer);
      client.off('close', lost);
      if (e) reject(noSftp(e, place));
      else resolve(sftp);
    });
  });
}

function noSftp(e: Error, place: Place): EngineError {
  return new EngineError(
    'permission',
    `${place.account} logs in, but is given no SFTP: ${e.message}.`,
    { hint: 'The server must offer its subsystem "sftp" to this login; ask its owner.' },
    { cause: e },
  );
}

const TOO_MANY = /too many authentication failures/i;
const NO_COMMON = /no matching/i;

function translateFailure(e: unknown, place: Place, auth: Handler, attempts: Attempts): EngineError {
  if (e instanceof EngineError) return e;
  const name = hostAndPort(place.host, place.port);
  if (auth.exhausted() || TOO_MANY.test(messageOf(e))) {
    return loginRefused(place, attempts, auth.offered(), e);
  }
  if (levelOf(e) === 'client-timeout') return silence(name, Math.min(HANDSHAKE_MS, place.stuckMs));
  if (levelOf(e) === 'client-socket') return translateNetworkError(e, name);
  if (NO_COMMON.test(messageOf(e))) {
    return new EngineError(
      'unsupported',
      `${name} and Holdfast have no way of encryption in common: ${messageOf(e)}.`,
      { hint: 'The server may be very old, or very strict.' },
      { cause: e },
    );
  }
  return connectionLost(name, e);
}
