import { addChannel } from '../channel-add.ts';
import { channelAddress, channelOptions } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import { hostOptions } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags] name address',
  description: `Sends the alerts to a topic of ntfy, such as https://ntfy.sh/my-topic. A topic that is not open to all needs an access
token: from --secret-file, or it is asked for.`,
  options: { ...hostOptions, ...channelOptions },
  operands: { least: 2 },
  run: (context, [name = '', address = ''], flags) =>
    addChannel(context, flags, {
      name,
      on: [...flags.on],
      target: () => ({ kind: 'ntfy', url: channelAddress(address) }),
      secretFile: flags.secretFile,
    }),
});
