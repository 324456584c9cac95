/**
 * From what was typed into a storage's form to what the host is asked for. Pure.
 *
 * kind     the storage, by the scheme of its locations
 * form     the fields of one kind, as they stand in it: all texts, none of them checked
 * place    location, options and login, as `destinations.test` and `destinations.add` take them
 * missing  the sentence that says what is still to be typed
 */
import { isAbsolute } from '../../components/paths.ts';
import type { Missing, Place } from './built.ts';
import { type CloudForm, type CloudKind, cloudPlace, NO_CLOUD } from './cloud.ts';
import { parseOptions } from './options.ts';
import { NO_REST, type RestForm, restPlace } from './rest.ts';
import { NO_S3, type S3Form, s3Place } from './s3.ts';
import { NO_SFTP, type SftpForm, sftpPlace } from './sftp.ts';

/** In the order in which they are offered. */
export const STORAGE_KINDS = ['local', 'gdrive', 'dropbox', 's3', 'sftp', 'rest'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** One form per kind, so that nothing is lost by looking at another kind. */
export interface Forms {
  readonly local: { readonly folder: string };
  readonly gdrive: CloudForm;
  readonly dropbox: CloudForm;
  readonly s3: S3Form;
  readonly sftp: SftpForm;
  readonly rest: RestForm;
}

export const NO_FORMS: Forms = {
  local: { folder: '' },
  gdrive: NO_CLOUD,
  dropbox: NO_CLOUD,
  s3: NO_S3,
  sftp: NO_SFTP,
  rest: NO_REST,
};

export const isCloud = (kind: string): kind is CloudKind => kind === 'gdrive' || kind === 'dropbox';

/** `lines`: further options as `name=value`, one a line; they win over those of the form. */
export function placeOf(kind: StorageKind, forms: Forms, lines = ''): Place | Missing {
  const place = ofForm(kind, forms);
  if ('missing' in place) return place;
  const further = parseOptions(lines);
  if (further === 'wrong') return { missing: 'storage.options.wrong' };
  return { ...place, options: { ...place.options, ...further } };
}

function ofForm(kind: StorageKind, forms: Forms): Place | Missing {
  switch (kind) {
    case 'local':
      return localPlace(forms.local.folder.trim());
    case 's3':
      return s3Place(forms.s3);
    case 'sftp':
      return sftpPlace(forms.sftp);
    case 'rest':
      return restPlace(forms.rest);
    default:
      return cloudPlace(kind, forms[kind]);
  }
}

function localPlace(folder: string): Place | Missing {
  return isAbsolute(folder) ? { location: folder, options: {} } : { missing: 'add.location.relative' };
}

/** What people would call the place by themselves; undefined: nothing in the form says it. */
export function ownName(kind: StorageKind, forms: Forms): string | undefined {
  const name = { s3: forms.s3.bucket, sftp: forms.sftp.host, rest: hostOf(forms.rest.address) };
  return kind === 's3' || kind === 'sftp' || kind === 'rest' ? name[kind].trim() || undefined : undefined;
}

function hostOf(address: string): string {
  return /^(?:https?:\/\/)?(?:[^@/]*@)?([^:/?#]+)/i.exec(address.trim())?.[1] ?? '';
}
