/**
 * Who we are to S3: an access key, from the login that is kept, from the environment, or from the files that Amazon's tools
 * share (`~/.aws/credentials`, `~/.aws/config`), in that order.
 *
 * profile   a section of these files
 * chain     Amazon's own ways to a passing key (single sign-on, roles, a program); the SDK goes them
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { Login, StorageSetting } from '../registry.ts';

export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Identity {
  /** undefined: the SDK finds one by the profile. */
  readonly key: S3Key | undefined;
  readonly profile: string;
  /** Of the profile. */
  readonly region: string | undefined;
}

type Env = NonNullable<StorageSetting['env']>;
type Section = Readonly<Record<string, string>>;

/** Errors: 'auth-expired' where there is no key, 'usage' for half of one. */
export async function identityOf({ login, env = {} }: StorageSetting): Promise<S3Identity> {
  const kept = (await login?.get()) ?? {};
  const profile = kept.profile || env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || 'default';
  const section = await profileSection(profile, env);
  const key = keyIn(kept, 'the login', KEPT) ?? keyIn(env, 'the environment', ENV);
  const region = section.region;
  if (key !== undefined) return { key, profile, region };
  if (hasChain(section, env)) return { key: undefined, profile, region };
  const fromFile = keyIn(section, `the profile ${profile}`, SHARED);
  if (fromFile === undefined) throw noKey();
  return { key: fromFile, profile, region };
}

type Names = Readonly<Record<keyof S3Key, string>>;
const KEPT: Names = {
  accessKeyId: 'accessKeyId',
  secretAccessKey: 'secretAccessKey',
  sessionToken: 'sessionToken',
};
const ENV: Names = {
  accessKeyId: 'AWS_ACCESS_KEY_ID',
  secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
  sessionToken: 'AWS_SESSION_TOKEN',
};
const SHARED: Names = {
  accessKeyId: 'aws_access_key_id',
  secretAccessKey: 'aws_secret_access_key',
  sessionToken: 'aws_session_token',
};

function keyIn(all: Login | Env, where: string, names: Names): S3Key | undefined {
  const accessKeyId = all[names.accessKeyId];
  const secretAccessKey = all[names.secretAccessKey];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    const lacking = accessKeyId ? names.secretAccessKey : names.accessKeyId;
    throw new EngineError('usage', `Half of the access key for S3 is missing: ${where} has no ${lacking}.`);
  }
  const sessionToken = all[names.sessionToken];
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

function noKey(): EngineError {
  return new EngineError('auth-expired', 'No access key for S3 is known.', {
    hint: 'Give one in the settings of the destination, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by AWS_PROFILE.',
  });
}

const CHAIN = ['sso_session', 'sso_start_url', 'credential_process', 'role_arn', 'web_identity_token_file'];
const CHAIN_ENV = [
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

function hasChain(section: Section, env: Env): boolean {
  return CHAIN.some((name) => section[name]) || CHAIN_ENV.some((name) => env[name]);
}

async function profileSection(profile: string, env: Env): Promise<Section> {
  const folder = join(env.HOME || env.USERPROFILE || homedir(), '.aws');
  const [config, credentials] = await Promise.all([
    sectionsIn(env.AWS_CONFIG_FILE || join(folder, 'config')),
    sectionsIn(env.AWS_SHARED_CREDENTIALS_FILE || join(folder, 'credentials')),
  ]);
  return { ...config.get(profile), ...config.get(`profile ${profile}`), ...credentials.get(profile) };
}

/** A file that is missing or closed to us has no sections. */
async function sectionsIn(file: string): Promise<ReadonlyMap<string, Section>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return parseSections(text);
}

/** Of a file of `[section]` and `name = value` lines. Indented lines belong to nested values, of which we need none. */
export function parseSections(text: string): ReadonlyMap<string, Section> {
  const all = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\[\s*([^\]]+?)\s*\]/.exec(line) ?? [];
    const [, name, value] = /^([^\s=#;[][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section !== undefined) {
      current = all.get(section) ?? {};
      all.set(section.replace(/\s+/g, ' '), current);
    } else if (name !== undefined && value !== undefined) current[name.toLowerCase()] = value;
  }
  return all;
}
