/** The flags of a destination, and what they make of its settings. */
import path from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { DestinationInput, type DestinationSettings } from '../api/model/destination.ts';
import { choice, integer, type ValuesOf, value } from './options.ts';
import { parseLimit } from './plan-flags.ts';
import { parseRecurrence } from './recurrence.ts';
import { parseSize } from './units.ts';

const WHEN = 'such as weekly=sun@04:00, daily=03:00 or manual';

export const destinationOptions = {
  cleanUp: value('--clean-up when', `when to forget old versions and free space, ${WHEN}`, parseRecurrence),
  check: value('--check when', `when to check it, ${WHEN}`, parseRecurrence),
  checkPercent: integer('--check-percent n', 'how much of the data each check reads, in percent'),
  warnBelow: value('--warn-below size', 'warn when less space is free, such as 20G', parseSize),
  uploadLimit: value(
    '--upload-limit size',
    'write at most so much a second, such as 2M, or none',
    parseLimit,
  ),
  ejectWhenDone: choice('--eject-when-done answer', 'unmount its disk after each run: yes or no', [
    'yes',
    'no',
  ]),
  downloadLimit: value('--download-limit size', 'read at most so much a second, or none', parseLimit),
};

export type DestinationFlags = ValuesOf<typeof destinationOptions>;

/** `before` with what was given in place of what it had; undefined for a new one. Error: 'usage'. */
export function changedDestination(
  before: DestinationSettings | undefined,
  flags: DestinationFlags,
  parts: { readonly name: string; readonly location: string },
): DestinationSettings {
  const old = before ?? DestinationInput.parse(parts);
  const { maintenance } = old;
  const result = DestinationInput.safeParse({
    ...parts,
    maintenance: {
      cleanUp: flags.cleanUp ?? maintenance.cleanUp,
      check: flags.check ?? maintenance.check,
      checkPercent: flags.checkPercent ?? maintenance.checkPercent,
    },
    readOnly: old.readOnly,
    options: old.options,
    ejectWhenDone: flags.ejectWhenDone === undefined ? old.ejectWhenDone : flags.ejectWhenDone === 'yes',
    warnBelowBytes: flags.warnBelow ?? old.warnBelowBytes,
    uploadLimit: flags.uploadLimit === undefined ? old.uploadLimit : flags.uploadLimit,
    downloadLimit: flags.downloadLimit === undefined ? old.downloadLimit : flags.downloadLimit,
  } satisfies z.input<typeof DestinationInput>);
  if (result.success) return result.data;
  const why = z.prettifyError(result.error).replace(/^✖ /gm, '');
  throw new EngineError('usage', `The destination can't be like this: ${why}`);
}

// Two letters at least, or Windows' drives would be schemes.
const SCHEME = /^([a-z][a-z0-9+.-]+):(.*)$/is;

/** The host works in another folder: a path is made absolute. */
export function absoluteLocation(location: string, cwd: string): string {
  const [, scheme, target = ''] = SCHEME.exec(location) ?? [];
  if (location === '' || (scheme !== undefined && target === '')) {
    throw new EngineError('usage', 'The location is empty.');
  }
  if (scheme === undefined) return path.resolve(cwd, location);
  return scheme.toLowerCase() === 'local' ? `local:${path.resolve(cwd, target)}` : location;
}
