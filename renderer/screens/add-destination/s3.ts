/**
 * S3 and what speaks like it. Providers' endpoints are those of their manuals: Amazon "Amazon S3 endpoints", Backblaze "Call the
 * S3-compatible API", Wasabi "Service URLs", Cloudflare R2 "S3 API compatibility".
 */

import type { Missing, Place } from './built.ts';
import { given } from './options.ts';

export const S3_PROVIDERS = ['amazon', 'backblaze', 'wasabi', 'cloudflare', 'own'] as const;
export type S3Provider = (typeof S3_PROVIDERS)[number];

export const BUCKET_LOOKUPS = ['auto', 'dns', 'path'] as const;

export interface S3Form {
  readonly provider: S3Provider;
  /** Of a server of one's own, or one that is not in the list. */
  readonly endpoint: string;
  readonly region: string;
  /** The id that is part of Cloudflare's endpoint. */
  readonly account: string;
  readonly bucket: string;
  /** Within the bucket; empty: at its top. */
  readonly folder: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly storageClass: string;
  readonly lookup: (typeof BUCKET_LOOKUPS)[number];
}

export const NO_S3: S3Form = {
  provider: 'amazon',
  endpoint: '',
  region: '',
  account: '',
  bucket: '',
  folder: '',
  accessKeyId: '',
  secretAccessKey: '',
  storageClass: '',
  lookup: 'auto',
};

/** As an example in the empty field. */
export const REGION_EXAMPLES: Readonly<Record<S3Provider, string>> = {
  amazon: 'eu-central-1',
  backblaze: 'eu-central-003',
  wasabi: 'eu-central-1',
  cloudflare: 'auto',
  own: 'us-east-1',
};

/** The address with its protocol, without a slash at the end; '': what it is made of is missing. */
export function endpointOf({ provider, endpoint, region, account }: S3Form): string {
  const [place, id] = [region.trim().toLowerCase(), account.trim().toLowerCase()];
  switch (provider) {
    case 'amazon':
      // China is another partition with a domain of its own.
      return place && `https://s3.${place}.amazonaws.com${place.startsWith('cn-') ? '.cn' : ''}`;
    case 'backblaze':
      return place && `https://s3.${place}.backblazeb2.com`;
    case 'wasabi':
      return place && `https://s3.${place}.wasabisys.com`;
    case 'cloudflare':
      return id && `https://${id}.r2.cloudflarestorage.com`;
    case 'own':
      return withProtocol(endpoint.trim()).replace(/\/+$/, '');
  }
}

function withProtocol(address: string): string {
  return address === '' || /^https?:\/\//i.test(address) ? address : `https://${address}`;
}

/** Source of the location: restic's manual, "Preparing a new repository", Amazon S3. It is read as a URL, so that escapes count. */
export function s3Place(form: S3Form): Place | Missing {
  const endpoint = endpointOf(form);
  if (!isEndpoint(endpoint)) return { missing: endpointMissing(form) };
  const bucket = form.bucket.trim();
  if (!/^[a-z0-9][a-z0-9._-]+$/i.test(bucket)) return { missing: 's3.missing.bucket' };
  const [accessKeyId, secretAccessKey] = [form.accessKeyId.trim(), form.secretAccessKey.trim()];
  if ((accessKeyId === '') !== (secretAccessKey === '')) return { missing: 's3.missing.keys' };
  const folder = form.folder.split('/').filter(Boolean).join('/').replace(/[%?#]/g, encodeURIComponent);
  return {
    location: `s3:${endpoint}/${bucket}${folder && `/${folder}`}`,
    options: given({
      's3.region': form.provider === 'cloudflare' ? form.region.trim() || 'auto' : form.region.toLowerCase(),
      's3.bucket-lookup': form.lookup === 'auto' ? '' : form.lookup,
      's3.storage-class': form.storageClass,
    }),
    ...(accessKeyId && { login: { accessKeyId, secretAccessKey } }),
  };
}

/** Nothing but protocol, name and port, so that the bucket follows. */
function isEndpoint(endpoint: string): boolean {
  const url = URL.parse(endpoint);
  return url !== null && /^https?:$/.test(url.protocol) && endpoint.toLowerCase() === originOf(endpoint, url);
}

/** Of an address whose port may be the usual one, which `origin` leaves out. */
function originOf(endpoint: string, { protocol, hostname }: URL): string {
  return `${protocol}//${hostname}${/:\d+$/.exec(endpoint)?.[0] ?? ''}`;
}

function endpointMissing({ provider }: S3Form) {
  if (provider === 'own') return 's3.missing.endpoint';
  return provider === 'cloudflare' ? 's3.missing.account' : 's3.missing.region';
}
