import { addChannel } from '../channel-add.ts';
import { channelAddress, channelOptions } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import { hostOptions } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags] name address',
  description: `Posts each alert to an address, as JSON. An access token from --secret-file, or asked for, goes with it as a bearer token.`,
  options: { ...hostOptions, ...channelOptions },
  operands: { least: 2 },
  run: (context, [name = '', address = ''], flags) =>
    addChannel(context, flags, {
      name,
      on: [...flags.on],
      target: () => ({ kind: 'webhook', url: channelAddress(address) }),
      secretFile: flags.secretFile,
    }),
});
