/**
 * Which keys a server is known by: from files of the form known_hosts, names plain, hashed or as patterns. Lines for certificate
 * authorities are left out. Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
 *
 * key           what a server proves its identity with: the public part as SSH sends it
 * fingerprint   "SHA256:" and the key's SHA-256 in base64, as the tools of SSH show it
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError, messageOf } from '../../api/errors.ts';
import { fits } from './host-pattern.ts';

export interface KnownKeys {
  /** Base64, of the host and port. */
  readonly keys: readonly string[];
  /** Of the host at whatever port: enough to trust a key, not enough to call another one changed. */
  readonly elsewhere: readonly string[];
  /** Never to be trusted, whoever says so. */
  readonly revoked: readonly string[];
}

interface Line {
  readonly marker: string | undefined;
  readonly names: string;
  readonly key: string;
}

const LINE = /^\s*(?:(@[a-z-]+)\s+)?([^\s#@]\S*)\s+[a-z0-9@.-]+\s+([A-Za-z0-9+/=]+)(?:\s|$)/;

function* linesOf(text: string): Generator<Line> {
  for (const line of text.split(/\r?\n/)) {
    const [, marker, names, key] = LINE.exec(line) ?? [];
    if (names !== undefined && key !== undefined) yield { marker, names, key };
  }
}

function isHashOf(names: string, host: string): boolean {
  const [, kind, salt = '', hash = ''] = names.split('|');
  if (kind !== '1') return false;
  const want = Buffer.from(hash, 'base64');
  const got = createHmac('sha1', Buffer.from(salt, 'base64')).update(host.toLowerCase()).digest();
  return want.length === got.length && timingSafeEqual(want, got);
}

function means(names: string, host: string): boolean {
  return names.startsWith('|') ? isHashOf(names, host) : fits(names.split(','), host);
}

/** How a server is called in the file. */
function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** What the text of a known_hosts file says of a server. */
export function keysIn(text: string, host: string, port: number): KnownKeys {
  const found = { keys: [] as string[], elsewhere: [] as string[], revoked: [] as string[] };
  for (const { marker, names, key } of linesOf(text)) {
    const here = means(names, knownName(host, port));
    if (marker === '@revoked') {
      if (here || means(names, host)) found.revoked.push(key);
    } else if (marker === undefined && here) found.keys.push(key);
    else if (marker === undefined && means(names, host)) found.elsewhere.push(key);
  }
  return found;
}

/** From several files, those that exist. Errors: usage for one that can't be read. */
export async function readKnownHosts(
  files: readonly string[],
  host: string,
  port: number,
): Promise<KnownKeys> {
  const found = await Promise.all(files.map(async (f) => keysIn(await textOf(f), host, port)));
  return {
    keys: found.flatMap(({ keys }) => keys),
    elsewhere: found.flatMap(({ elsewhere }) => elsewhere),
    revoked: found.flatMap(({ revoked }) => revoked),
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (e) {
    if (e instanceof Error && 'code' in e && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return '';
    throw new EngineError(
      'usage',
      `The file of known servers ${file} can't be read: ${messageOf(e)}.`,
      {},
      { cause: e },
    );
  }
}

/** Of a public key as SSH sends it, or its base64. */
export function fingerprintOf(key: Uint8Array | string): string {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
}

/** 'ssh-ed25519', 'ssh-rsa' …; '' for bytes that are no key. */
export function keyTypeOf(key: Uint8Array | string): string {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.from(key);
  const length = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  return length > 64 ? '' : bytes.toString('latin1', 4, 4 + length);
}

/**
 * Adds a server to a known_hosts file, which is made if it is missing. `publicKey`: base64, as in the context of
 * 'host-unverified'. Errors: usage for what is no key, permission, io.
 */
export async function rememberHost(
  knownHostsFile: string,
  host: string,
  port: number,
  publicKey: string,
): Promise<void> {
  const type = keyTypeOf(publicKey);
  if (!/^[a-z0-9@.-]+$/.test(type)) throw new EngineError('usage', 'That is not the public key of a server.');
  const before = await textOf(knownHostsFile);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  try {
    await mkdir(dirname(knownHostsFile), { recursive: true, mode: 0o700 });
    const line = `${gap}${knownName(host, port)} ${type} ${publicKey}\n`;
    await writeFile(knownHostsFile, line, { flag: 'a', mode: 0o600 });
  } catch (e) {
    throw new EngineError(
      'permission',
      `Could not write ${knownHostsFile}: ${messageOf(e)}.`,
      {},
      { cause: e },
    );
  }
}
