/**
 * What `s3:` is followed by, as restic spells it: `https://host:port/bucket/prefix`, or without a scheme (that is https)
 * `host/bucket/prefix` and `//host/bucket/prefix`. The options beside it.
 *
 * Amazon's own hosts name their region: `s3.eu-central-1.amazonaws.com`; `s3.amazonaws.com` stands for all of them.
 */
import { posix } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import type { StorageSetting } from '../registry.ts';

export interface S3Target {
  /** 'https://host:port', without a path. */
  readonly endpoint: string;
  readonly bucket: string;
  /** '' or ends with a slash. */
  readonly prefix: string;
  /** The location, safe to show. */
  readonly shown: string;
  /** Amazon's own. */
  readonly aws: boolean;
  /** What the host says of it. */
  readonly region: string | undefined;
}

const HINT =
  'It looks like s3:https://host/bucket/folder, or s3:s3.eu-central-1.amazonaws.com/bucket/folder for Amazon.';

function wrong(why: string): EngineError {
  return new EngineError('usage', `The address of the S3 storage ${why}.`, { hint: HINT });
}

/** Errors: 'usage' for what is no address of a bucket, and for one that holds a login. */
export function parseTarget(target: string): S3Target {
  const [, scheme = 'https', place = ''] = /^(?:(https?):)?(?:\/\/)?(.*)$/is.exec(target) ?? [];
  if (/[?#]/.test(place)) throw wrong('may not hold ? or #');
  const [host = '', bucket = '', ...folders] = place.split('/');
  if (host.includes('@')) throw wrong('may not hold a login: that goes into the settings or the environment');
  const url = URL.parse(`${scheme.toLowerCase()}://${host}`);
  if (url === null || url.hostname === '') throw wrong('names no host');
  if (bucket === '') throw wrong('names no bucket');
  const prefix = prefixOf(folders, /^https?:/i.test(target));
  return {
    endpoint: url.origin,
    bucket,
    prefix,
    shown: `s3:${url.origin}/${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`,
    ...amazonOf(url.hostname),
  };
}

/** `escaped`: restic takes an address with a scheme for a URL, whose escapes stand for what they mean. */
function prefixOf(folders: readonly string[], escaped: boolean): string {
  const text = folders.join('/');
  const path = posix.normalize(escaped ? unescaped(text) : text).replace(/\/$/, '');
  if (path === '.' || path === '') return '';
  if (path.startsWith('/') || path.startsWith('..')) throw wrong('has a folder without a name');
  return `${path}/`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a percent sign that begins no escape; write %25 for it');
  }
}

const AMAZON = /(?:^|\.)amazonaws\.com(?:\.cn)?$/;
const REGIONAL = /^s3[.-](?:dualstack\.|fips\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com/;

function amazonOf(hostname: string): Pick<S3Target, 'aws' | 'region'> {
  return { aws: AMAZON.test(hostname), region: REGIONAL.exec(hostname)?.[1] };
}

/** Amazon's endpoint for a region. */
export function amazonEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

export interface S3Options {
  readonly region: string | undefined;
  readonly lookup: 'auto' | 'dns' | 'path';
  readonly storageClass: string | undefined;
  readonly connections: number;
  readonly listV1: boolean;
}

const KNOWN = [
  's3.region',
  's3.bucket-lookup',
  's3.storage-class',
  's3.connections',
  's3.list-objects-v1',
] as const;
const CONNECTIONS = { usual: 5, most: 100 } as const;
const LOOKUPS = ['auto', 'dns', 'path'] as const;
/** What lies there is read only hours after it was asked for: restic's indexes and trees can't wait. */
const FROZEN = ['GLACIER', 'DEEP_ARCHIVE'];

/** Errors: 'usage' for an option of `s3.` that there is not, and for values that are none. */
export function parseOptions(options: ReadonlyMap<string, string> = new Map()): S3Options {
  const known: readonly string[] = KNOWN;
  const unknown = [...options.keys()].find((name) => name.startsWith('s3.') && !known.includes(name));
  if (unknown !== undefined) {
    throw new EngineError('usage', `S3 has no option ${unknown}.`, {
      hint: `There are: ${KNOWN.join(', ')}.`,
    });
  }
  const value = (name: (typeof KNOWN)[number]) => options.get(name) || undefined;
  return {
    region: value('s3.region'),
    lookup: oneOf('s3.bucket-lookup', LOOKUPS, value('s3.bucket-lookup') ?? 'auto'),
    storageClass: storageClassOf(value('s3.storage-class')),
    connections: countOf('s3.connections', value('s3.connections') ?? String(CONNECTIONS.usual)),
    listV1: oneOf('s3.list-objects-v1', ['true', 'false'], value('s3.list-objects-v1') ?? 'false') === 'true',
  };
}

function oneOf<T extends string>(name: string, all: readonly T[], text: string): T {
  const found = all.find((one) => one === text);
  if (found === undefined)
    throw new EngineError('usage', `${name} is one of ${all.join(', ')}, not “${text}”.`);
  return found;
}

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= CONNECTIONS.most) return count;
  throw new EngineError('usage', `${name} is a number from 1 to ${CONNECTIONS.most}, not “${text}”.`);
}

function storageClassOf(text: string | undefined): string | undefined {
  const name = text?.toUpperCase();
  if (name === undefined || !FROZEN.includes(name)) return name;
  throw new EngineError(
    'usage',
    `Files of the storage class ${name} can't be read at once, which backups need.`,
    {
      hint: 'GLACIER_IR is a cheap class whose files can.',
    },
  );
}

/** Whether the bucket is a part of the path, not of the host's name: only services known for the other take that. */
export function isPathStyle({ endpoint, aws }: S3Target, { lookup }: S3Options): boolean {
  if (lookup !== 'auto') return lookup === 'path';
  return !aws && !/\.aliyuncs\.com$/.test(new URL(endpoint).hostname);
}

/** Told, or known by the host, or what the environment says. */
export function regionOf(t: S3Target, o: S3Options, env: NonNullable<StorageSetting['env']>) {
  return o.region ?? t.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
}
