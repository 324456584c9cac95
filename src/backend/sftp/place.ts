/** All that is to be known before a connection is made: from the location, the options, the environment and ~/.ssh/config. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { LoginKeeper, StorageSetting } from '../registry.ts';
import { expandPath, type HostConfig, homeOf, readSshConfig } from './ssh-config.ts';
import { checkUser, hostAndPort, parseTarget, showTarget } from './target.ts';

export interface Place {
  /** Safe to show. */
  readonly location: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Relative to the home of the login unless it begins with a slash. */
  readonly folder: string;
  /** `user@host`, for sentences. */
  readonly account: string;
  /** Chosen by the person: these must exist. */
  readonly chosenKeys: readonly string[];
  /** Of ~/.ssh/config, or the usual ones: those that exist are tried. */
  readonly usualKeys: readonly string[];
  /** A socket, or Windows' word for its agents. */
  readonly agent: string | undefined;
  readonly knownHosts: readonly string[];
  readonly connections: number;
  /** Silence for so many milliseconds is a fault. */
  readonly stuckMs: number;
  readonly login: LoginKeeper | undefined;
  readonly warn: (sentence: string) => void;
}

const KNOWN = ['sftp.connections', 'sftp.identity-file', 'sftp.known-hosts', 'sftp.agent'] as const;
type Option = (typeof KNOWN)[number];
const OF_RESTIC = new Set(['sftp.command', 'sftp.args']);
const CONNECTIONS = { usual: 5, most: 64 } as const;
const STUCK_MS = 5 * 60_000;
const USUAL_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const;

function isKnown(name: string): name is Option {
  return (KNOWN as readonly string[]).includes(name);
}

function refuseForeign(name: string): void {
  if (!OF_RESTIC.has(name)) return;
  const hint =
    'Name the server in ~/.ssh/config (HostName, User, Port, IdentityFile), or use -o sftp.identity-file=….';
  throw new EngineError('unsupported', `Holdfast runs no program for SFTP, so ${name} has no meaning here.`, {
    hint,
  });
}

/** Errors: usage for an unknown or empty one, unsupported for restic's of programs. */
function readOptions(options: ReadonlyMap<string, string> | undefined): ReadonlyMap<Option, string> {
  const read = new Map<Option, string>();
  for (const [name, value] of options ?? []) {
    if (!name.startsWith('sftp.')) continue;
    refuseForeign(name);
    if (!isKnown(name)) {
      throw new EngineError('usage', `SFTP has no option ${name}.`, { hint: `It has ${KNOWN.join(', ')}.` });
    }
    if (value === '') throw new EngineError('usage', `The option ${name} is empty.`);
    read.set(name, value);
  }
  return read;
}

function connectionsOf(text: string | undefined): number {
  if (text === undefined) return CONNECTIONS.usual;
  const n = Number(text);
  if (/^\d+$/.test(text) && n >= 1 && n <= CONNECTIONS.most) return n;
  throw new EngineError(
    'usage',
    `sftp.connections is a number from 1 to ${CONNECTIONS.most}, not "${text}".`,
  );
}

const WINDOWS_AGENT = '\\\\.\\pipe\\openssh-ssh-agent';

function agentOf(option: string | undefined, env: StorageSetting['env']): string | undefined {
  if (option === 'none') return undefined;
  const usual = env?.SSH_AUTH_SOCK || (process.platform === 'win32' ? WINDOWS_AGENT : undefined);
  return option ?? usual;
}

function ownName(env: StorageSetting['env']): string {
  return env?.USER || env?.USERNAME || userInfo().username;
}

function warnOfDetours(config: HostConfig, host: string, o: StorageSetting): void {
  if (config.detours.length === 0) return;
  const names = config.detours.join(', ');
  o.warn?.(`${host} has ${names} in ~/.ssh/config; Holdfast does not do that and connects directly.`);
}

/** `text`: the location without `sftp:`. Errors: usage, unsupported. */
export async function readPlace(text: string, o: StorageSetting): Promise<Place> {
  const options = readOptions(o.options);
  const target = parseTarget(text);
  const home = homeOf(o.env);
  const config = await readSshConfig(home, target.host);
  warnOfDetours(config, target.host, o);
  const host = config.hostName ?? target.host;
  const user = checkUser(target.user ?? config.user ?? ownName(o.env));
  const port = target.port ?? config.port ?? 22;
  const [chosen, known] = [options.get('sftp.identity-file'), options.get('sftp.known-hosts')];
  const named = config.identityFiles.map((f) => expandPath(f, home, { host, user }));
  return {
    location: showTarget(target),
    host,
    port,
    user,
    folder: target.folder,
    account: `${user}@${hostAndPort(host, port)}`,
    chosenKeys: chosen === undefined ? [] : [expandPath(chosen, home, { host, user })],
    usualKeys: named.length > 0 ? named : USUAL_KEYS.map((name) => join(home, '.ssh', name)),
    agent: agentOf(options.get('sftp.agent'), o.env),
    knownHosts:
      known === undefined
        ? [join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']
        : [expandPath(known, home)],
    connections: connectionsOf(options.get('sftp.connections')),
    stuckMs: o.tls?.stuckRequestMs ?? STUCK_MS,
    login: o.login,
    warn: o.warn ?? (() => undefined),
  };
}
