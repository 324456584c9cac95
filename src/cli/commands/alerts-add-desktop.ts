import { addChannel } from '../channel-add.ts';
import { desktopOptions } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import { hostOptions } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags] [name]',
  description:
    'Shows the alerts as notes on the desktop, while the Holdfast app runs. Its name is Desktop unless another is given.',
  options: { ...hostOptions, ...desktopOptions },
  operands: { most: 1 },
  run: (context, [name = 'Desktop'], flags) =>
    addChannel(context, flags, { name, on: [...flags.on], target: () => ({ kind: 'desktop' }) }),
});
