/**
 * The little of ~/.ssh/config that names a server: HostName, User, Port and IdentityFile of the `Host` sections that fit. The
 * first value that is found counts, as in OpenSSH; of IdentityFile all. Sections of `Match` are left out. Source: ssh_config(5).
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { EngineError, messageOf } from '../../api/errors.ts';
import { fits } from './host-pattern.ts';

export interface HostConfig {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  /** Settings of this host without which a direct connection may miss it: 'proxyjump', 'proxycommand'. */
  readonly detours: readonly string[];
}

const WORDS = /"([^"]*)"|[^\s"]+/g;
const LINE = /^\s*([a-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/i;

function words(text: string): readonly string[] {
  return [...text.matchAll(WORDS)].map((m) => m[1] ?? m[0]);
}

interface Setting {
  readonly key: string;
  readonly values: readonly string[];
}

function* settingsFor(text: string, host: string): Generator<Setting> {
  let applies = true;
  for (const line of text.split(/\r?\n/)) {
    const [, key = '', rest = ''] = LINE.exec(line) ?? [];
    const values = words(rest);
    if (key === '' || values.length === 0) continue;
    const name = key.toLowerCase();
    if (name === 'host') applies = fits(values, host);
    else if (name === 'match') applies = false;
    else if (applies) yield { key: name, values };
  }
}

const DETOURS = new Set(['proxyjump', 'proxycommand']);

/** What the text of a configuration says of `host`, the name that a person typed. */
export function parseSshConfig(text: string, host: string): HostConfig {
  const first = new Map<string, string>();
  const identityFiles: string[] = [];
  for (const { key, values } of settingsFor(text, host)) {
    const value = values[0] ?? '';
    if (key === 'identityfile') identityFiles.push(value);
    else if (!first.has(key)) first.set(key, value);
  }
  const [hostName, user, port] = [first.get('hostname'), first.get('user'), first.get('port')];
  return {
    ...(hostName === undefined ? {} : { hostName: hostName.replaceAll('%h', host) }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined || !/^\d{1,5}$/.test(port) ? {} : { port: Number(port) }),
    identityFiles: identityFiles.filter((f) => f.toLowerCase() !== 'none'),
    detours: [...DETOURS].filter((key) => (first.get(key) ?? 'none').toLowerCase() !== 'none'),
  };
}

/** The home of the person, as the environment has it. */
export function homeOf(env: Readonly<Record<string, string | undefined>> | undefined): string {
  return env?.HOME || env?.USERPROFILE || homedir();
}

/** A path with `~` and the tokens of ssh_config(5) that name places; relative ones are taken from ~/.ssh, as nobody is elsewhere. */
export function expandPath(path: string, home: string, about: { host?: string; user?: string } = {}): string {
  const tokens: Readonly<Record<string, string>> = {
    '%%': '%',
    '%d': home,
    '%h': about.host ?? '%h',
    '%r': about.user ?? '%r',
  };
  const filled = path
    .replace(/^~(?=$|[/\\])/, () => home)
    .replace(/%[%dhr]/g, (token) => tokens[token] ?? token);
  return isAbsolute(filled) ? filled : join(home, '.ssh', filled);
}

/** Of ~/.ssh/config; nothing where there is none. Errors: usage for a file that can't be read. */
export async function readSshConfig(home: string, host: string): Promise<HostConfig> {
  const file = join(home, '.ssh', 'config');
  try {
    return parseSshConfig(await readFile(file, 'utf8'), host);
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return { identityFiles: [], detours: [] };
    throw new EngineError('usage', `${file} can't be read: ${messageOf(e)}.`, {}, { cause: e });
  }
}
