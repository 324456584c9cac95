import { EngineError } from '../../api/errors.ts';
import type { Destination, KnownDisk } from '../../api/model/destination.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination disk',
  description: `Takes a disk out of a destination. What is on the disk stays.

The disk is named by its label, or by the beginning of its UUID, as \`holdfast destination disks\` shows them.`,
  options: hostOptions,
  operands: { least: 2, most: 2 },
  async run(context, [reference = '', said = ''], flags) {
    const { globals, json, print, signal } = context;
    const { changed, disk } = await withHost(context, flags, async ({ client }) => {
      const destination = await findDestination(client, reference, signal);
      const disk = diskNamed(destination, said);
      const changed = await client.destinations.removeDisk(
        { id: destination.id, uuid: disk.uuid },
        { signal },
      );
      return { changed, disk };
    });
    if (globals.json) return json.write(changed);
    print.say(`${printable(changed.name)} does without ${printable(disk.label ?? disk.uuid)} from now on.`);
  },
});

/** Errors: 'not-found', 'ambiguous'. */
function diskNamed({ name, disks }: Destination, said: string): KnownDisk {
  const lower = said.toLowerCase();
  const whole = disks.filter(({ uuid, label }) => uuid.toLowerCase() === lower || label === said);
  const fits = whole.length > 0 ? whole : disks.filter(({ uuid }) => uuid.toLowerCase().startsWith(lower));
  const [only, second] = said === '' ? [] : fits;
  if (only && !second) return only;
  const hint = `\`holdfast destination disks "${name}"\` shows them all.`;
  if (!only) throw new EngineError('not-found', `“${name}” has no disk "${said}".`, { hint });
  throw new EngineError('ambiguous', `"${said}" fits more than one disk of “${name}”.`, { hint });
}
