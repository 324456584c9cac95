import type { Channel } from '../../api/model/alert.ts';
import type { Client } from '../../transport/client.ts';
import { inTheClear, refuseTwin, warnInTheClear } from '../channel-add.ts';
import {
  changedTarget,
  type EditFlags,
  editOptions,
  goesElsewhere,
  refuseStrayFlags,
} from '../channel-edit.ts';
import { channelOf, readChannelSecret } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findChannel, findPlan } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] channel',
  description: `Changes a channel. Only what is given changes; its kind stays, and so does its password or token unless another is given.
To switch it on again, say --disable=false.`,
  options: { ...hostOptions, ...editOptions },
  operands: { least: 1 },
  async run(context, [reference = ''], flags, given) {
    const { globals, json, print, signal } = context;
    const changed = await withHost(context, flags, async ({ client }) => {
      const before = await findChannel(client, reference, signal);
      refuseStrayFlags(before, given);
      return change(context, client, before, flags, given);
    });
    if (globals.json) return json.write(changed);
    print.say(`Changed the channel ${printable(changed.name)}.`);
  },
});

async function change(
  context: CommandContext,
  client: Client,
  before: Channel,
  flags: EditFlags,
  given: ReadonlySet<string>,
): Promise<Channel> {
  const { signal, print } = context;
  const target = changedTarget(before.target, flags, await planIdOf(client, flags.plan, signal));
  const name = flags.name ?? before.name;
  const on = flags.on.length > 0 ? flags.on : before.on;
  const enabled = given.has('disable') ? !flags.disable : before.enabled;
  const channel = { ...channelOf({ name, target, on: [...on] }), enabled };
  if (name !== before.name) await refuseTwin(client, name, signal, before.id);
  const secret = await secretFor(context, before, channel, flags.secretFile);
  const kept = before.hasSecret && secret === undefined;
  if (kept && goesElsewhere(before.target, target)) {
    print.problem('Its password or token stays, and goes to the new address. --secret-file takes another.');
  }
  if ((kept || secret) && inTheClear(target)) warnInTheClear(print);
  const input = { ...channel, id: before.id, ...(secret === undefined ? {} : { secret }) };
  return client.alerts.updateChannel(input, { signal });
}

/** undefined: it is not said; null: of all plans. */
async function planIdOf(
  client: Client,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<string | null | undefined> {
  if (wanted === undefined) return undefined;
  return wanted === '' ? null : (await findPlan(client, wanted, signal)).plan.id;
}

/** undefined: it stays as it is; '': from now on there is none. */
async function secretFor(
  context: CommandContext,
  before: Channel,
  after: Pick<Channel, 'name' | 'target'>,
  file: string | undefined,
): Promise<string | undefined> {
  if (file === '') return '';
  if (file !== undefined) return readChannelSecret(context, after, file);
  if (after.target.kind !== 'email') return undefined;
  if (after.target.user === null) return before.hasSecret ? '' : undefined;
  const sameUser = before.target.kind === 'email' && before.target.user === after.target.user;
  return sameUser ? undefined : readChannelSecret(context, after, undefined);
}
