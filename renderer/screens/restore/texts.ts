/** What several steps say of the same. */
import type { Version } from '../../../src/api/model/destination.ts';
import type { Speech } from '../../i18n/speech.tsx';
import { type Selection, sumOf } from './selection.ts';

/** "3 files (2 MiB) and 1 folder", "Everything: 1,204 files, 3 GiB" */
export function selectionText(
  { say, format }: Pick<Speech, 'say' | 'format'>,
  selection: Selection,
  version: Version,
): string {
  const { files, folders, bytes, without, everything } = sumOf(selection);
  if (selection.size === 0) return say('restore.chosen.nothing');
  const parts: string[] = [];
  if (everything) {
    parts.push(
      version.files === null || version.bytes === null
        ? say('restore.chosen.everything')
        : say('restore.chosen.everything-of', {
            files: say('unit.files', { count: version.files }),
            bytes: format.bytes(version.bytes),
          }),
    );
  }
  if (files > 0) {
    parts.push(
      say('restore.chosen.files', {
        files: say('unit.files', { count: files }),
        bytes: format.bytes(bytes),
      }),
    );
  }
  if (folders > 0) parts.push(say('restore.chosen.folders', { count: folders }));
  const text = format.list(parts);
  return without === 0 ? text : say('restore.chosen.without', { chosen: text, count: without });
}
