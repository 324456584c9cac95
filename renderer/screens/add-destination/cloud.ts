/** Accounts in clouds that are signed in to in a browser: Google Drive, Dropbox. */

import type { Missing, Place } from './built.ts';
import { given } from './options.ts';

export type CloudKind = 'gdrive' | 'dropbox';

export interface CloudForm {
  readonly folder: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Google's id of a shared drive; empty: the person's own. */
  readonly sharedDrive: string;
  /** Of the sign-in that has ended well. */
  readonly signInId?: string | undefined;
  /** Whom it led to, where the service says so. */
  readonly account?: string | null | undefined;
}

export const clientOption = (kind: CloudKind): string => `${kind}.client-id`;

export const NO_CLOUD: CloudForm = { folder: 'Holdfast', clientId: '', clientSecret: '', sharedDrive: '' };

/** A change to the form. A sign-in by another client id is another one. */
export function cloudChanged(form: CloudForm, change: Partial<CloudForm>): CloudForm {
  const other = change.clientId !== undefined || change.clientSecret !== undefined;
  return { ...form, ...(other ? { signInId: undefined, account: undefined } : {}), ...change };
}

export function cloudPlace(kind: CloudKind, form: CloudForm): Place | Missing {
  const folder = form.folder
    .split('/')
    .map((name) => name.trim())
    .filter(Boolean)
    .join('/');
  if (form.signInId === undefined) return { missing: 'cloud.missing.sign-in' };
  if (folder === '') return { missing: 'cloud.missing.folder' };
  return {
    location: `${kind}:${folder}`,
    // No secret, and what signing in again begins with.
    options: given({
      [clientOption(kind)]: form.clientId,
      ...(kind === 'gdrive' ? { 'gdrive.shared-drive': form.sharedDrive } : {}),
    }),
    signInId: form.signInId,
  };
}
