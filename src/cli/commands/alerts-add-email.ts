import { addChannel } from '../channel-add.ts';
import { emailOptions, emailTarget } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import { hostOptions } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags] name',
  description: `Lets a mail server send the alerts. With --user, the password comes from --secret-file, or it is asked for; Holdfast
keeps it sealed.`,
  options: { ...hostOptions, ...emailOptions },
  operands: { least: 1 },
  run: (context, [name = ''], flags) =>
    addChannel(context, flags, {
      name,
      on: [...flags.on],
      target: () => emailTarget(flags),
      secretFile: flags.secretFile,
    }),
});
