/** What is to be added, as it stands in the wizard. */
import type { ConnectionTest } from '../../../src/api/model/destination.ts';
import { isOnlyReadable, isUsable } from '../../components/connection.ts';
import type { MessageKey } from '../../i18n/en.ts';
import { parseRate } from '../settings/rate.ts';
import { type Forms, NO_FORMS, ownName, placeOf, type StorageKind } from './place.ts';

export interface Draft {
  readonly kind: StorageKind;
  readonly forms: Forms;
  /** Further options, one a line. */
  readonly lines: string;
  /** undefined: nobody has typed one yet. */
  readonly name?: string | undefined;
  readonly password: string;
  /** Only for getting files back. */
  readonly readOnly: boolean;
  /** MiB/s as text; empty: no limit. */
  readonly upload: string;
  readonly download: string;
  /** Of this very place; undefined: not tested. */
  readonly test?: ConnectionTest | undefined;
}

export const NEW_DRAFT: Draft = {
  kind: 'local',
  forms: NO_FORMS,
  lines: '',
  password: '',
  readOnly: false,
  upload: '',
  download: '',
};

/** Another place: what was found at the one before says nothing of it. */
export function elsewhere(
  draft: Draft,
  change: Partial<Pick<Draft, 'kind' | 'forms' | 'lines' | 'name'>>,
): Draft {
  return { ...draft, password: '', readOnly: false, test: undefined, ...change };
}

export function tested(draft: Draft, test: ConnectionTest): Draft {
  return { ...draft, password: '', readOnly: !isUsable(test) && isOnlyReadable(test), test };
}

/** `usual`: the name of the kind, for places that have none of their own. */
export function nameOf(draft: Draft, usual: string): string {
  return draft.name ?? ownName(draft.kind, draft.forms) ?? usual;
}

export function mayGoOn({ test }: Draft): boolean {
  return test !== undefined && (isUsable(test) || isOnlyReadable(test));
}

/** Why it can't be added like this; undefined: it can. */
export function missingProtection(draft: Draft, name: string): MessageKey | undefined {
  if (name.trim() === '') return 'add.name.empty';
  if ([draft.upload, draft.download].some((text) => parseRate(text, 'MiB/s') === 'wrong')) {
    return 'settings.limit.wrong';
  }
  return draft.test?.repository && draft.password === '' ? 'add.password.missing' : undefined;
}

/** As `destinations.add` takes it; undefined while the form is not filled in. */
export function additionOf(draft: Draft, name: string) {
  const place = placeOf(draft.kind, draft.forms, draft.lines);
  if ('missing' in place) return undefined;
  return {
    ...place,
    name: name.trim(),
    readOnly: draft.readOnly,
    uploadLimit: limitOf(draft.upload),
    downloadLimit: limitOf(draft.download),
    ...(draft.password === '' ? {} : { password: draft.password }),
  };
}

function limitOf(text: string): number | null {
  const rate = parseRate(text, 'MiB/s');
  return typeof rate === 'number' ? rate : null;
}
