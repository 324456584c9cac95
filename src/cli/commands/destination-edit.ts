import { EngineError } from '../../api/errors.ts';
import { defineCommand } from '../command.ts';
import { changedDestination, destinationOptions } from '../destination-flags.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { text } from '../options.ts';
import { findDestination } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: `Changes a destination. Only what is given changes; where it is stays as it is.

Settings of its storage are given with -o; one without a value (-o s3.region=) goes.`,
  options: { ...hostOptions, ...destinationOptions, name: text('--name name', 'a new name') },
  operands: { least: 1 },
  async run(context, [reference = ''], flags, given) {
    const { globals, json, print, signal } = context;
    if (![...Object.keys(destinationOptions), 'name', 'option'].some((key) => given.has(key))) {
      throw new EngineError('usage', 'Nothing is given that would change the destination.', {
        hint: '`holdfast help destination edit` lists what can be changed.',
      });
    }
    const changed = await withHost(context, flags, async ({ client }) => {
      const before = await findDestination(client, reference, signal);
      const { location, ...settings } = changedDestination(before, flags, {
        name: flags.name ?? before.name,
        location: before.location,
      });
      const options = changedOptions(before.options, globals.storageOptions);
      return client.destinations.update({ ...settings, options, id: before.id }, { signal });
    });
    if (globals.json) return json.write(changed);
    print.say(`Changed the destination ${printable(changed.name)}.`);
  },
});

function changedOptions(
  before: Readonly<Record<string, string>>,
  said: ReadonlyMap<string, string>,
): Record<string, string> {
  const all = { ...before, ...Object.fromEntries(said) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}
