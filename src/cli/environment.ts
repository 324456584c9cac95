/**
 * Settings from the environment. Every setting has two names, `HOLDFAST_X` and `RESTIC_X`; the first that is set
 * and not empty counts.
 */
import { homedir } from 'node:os';
import process from 'node:process';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIXES = ['HOLDFAST_', 'RESTIC_'] as const;
export type Prefix = (typeof PREFIXES)[number];

export interface Setting {
  readonly value: string;
  /** The variable that holds it, for messages. */
  readonly variable: string;
}

export function readSetting(env: Environment, name: string): Setting | undefined {
  for (const prefix of PREFIXES) {
    const value = env[prefix + name];
    if (value !== undefined && value !== '') return { value, variable: prefix + name };
  }
  return undefined;
}

export function setting(env: Environment, name: string): string | undefined {
  return readSetting(env, name)?.value;
}

/**
 * The first family of names of which any is set. Settings that exclude one another (a password file, a command)
 * are looked for within one family, so that a leftover of the other can't contradict it.
 */
export function settingFamily(env: Environment, names: readonly string[]): Prefix | undefined {
  return PREFIXES.find((prefix) => names.some((name) => (env[prefix + name] ?? '') !== ''));
}

/** The host that snapshots are filtered by where no `--host` is given. */
export function defaultHost(env: Environment): string | undefined {
  return setting(env, 'HOST');
}

/** The person's own folder, by the variable that the platform has for it. */
export function homeOf(env: Environment): string {
  return (process.platform === 'win32' ? env.USERPROFILE : env.HOME) || homedir();
}
