/** What the commands below `alerts add` have in common, some of it with `alerts edit`. */
import { EngineError } from '../api/errors.ts';
import type { Channel, Target } from '../api/model/alert.ts';
import type { Client } from '../transport/client.ts';
import { type ChannelParts, channelOf, readChannelSecret } from './channel-flags.ts';
import type { CommandContext } from './context.ts';
import { withHost } from './host-client.ts';
import type { Printer } from './printer.ts';
import { SHORT_ID } from './reference.ts';
import { printable } from './text-width.ts';

export interface NewChannel extends Pick<ChannelParts, 'name' | 'on'> {
  /** May look up what the flags name. */
  readonly target: (client: Client) => Target | Promise<Target>;
  readonly secretFile?: string | undefined;
}

/**
 * Adds the channel and says so. A secret is asked for only when all else is right.
 * Errors: 'usage', 'conflict' for a name that is taken, and those of the host.
 */
export async function addChannel(
  context: CommandContext,
  flags: { readonly dataDir?: string | undefined },
  request: NewChannel,
): Promise<void> {
  const { globals, json, print } = context;
  const channel = await withHost(context, flags, ({ client }) => add(context, client, request));
  if (globals.json) return json.write(channel);
  const name = printable(channel.name);
  print.say(`Added the channel ${name} (${channel.id.slice(0, SHORT_ID)}).`);
  print.say(`\`holdfast alerts test ${channel.id.slice(0, SHORT_ID)}\` tries it out.`);
}

async function add(context: CommandContext, client: Client, request: NewChannel): Promise<Channel> {
  const { signal, print } = context;
  const { secretFile, target: targetOf, ...parts } = request;
  const target = await targetOf(client);
  const channel = channelOf({ ...parts, target });
  await refuseTwin(client, channel.name, signal);
  const secret = await readChannelSecret(context, channel, secretFile);
  if (secret !== undefined && inTheClear(target)) {
    warnInTheClear(print);
  }
  return client.alerts.addChannel({ ...channel, ...(secret === undefined ? {} : { secret }) }, { signal });
}

/** Two of one name could not be told apart on the command line, and `config export` refuses them. */
export async function refuseTwin(
  client: Client,
  name: string,
  signal: AbortSignal,
  exceptId?: string,
): Promise<void> {
  const all = await client.alerts.channels(undefined, { signal });
  if (!all.some((channel) => channel.name === name && channel.id !== exceptId)) return;
  throw new EngineError('conflict', `There is a channel "${name}" already.`, {
    hint: 'Choose another name, or remove that one first with `holdfast alerts remove`.',
  });
}

export function warnInTheClear(print: Printer): void {
  print.problem('Its password or token will travel unencrypted: whoever is on the way can read it.');
}

export function inTheClear(target: Target): boolean {
  if (target.kind === 'desktop') return false;
  return target.kind === 'email' ? target.security === 'none' : target.url.startsWith('http:');
}
