import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { parsePause, pauseEnd } from '../pause.ts';
import { plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] [1h|30m|tomorrow|forever]',
  description: `Lets nothing start by itself for a while: for a time such as 30m or 1h30m, until 06:00 tomorrow on this computer's
clock, or, without a time, until \`holdfast resume\`. A new pause replaces the one before.

What runs already goes on, and \`holdfast plan run\` still starts a backup. What was missed is made up for afterwards,
unless its plan says otherwise.`,
  options: hostOptions,
  operands: { most: 1 },
  async run(context, [length = 'forever'], flags) {
    const { globals, json, print, clock, signal } = context;
    const pause = { until: parsePause(length, clock.now()) };
    const status = await withHost(context, flags, ({ client }) => client.system.pause(pause, { signal }));
    if (globals.json) return json.write(status);
    print.say(`Backups are paused ${pauseEnd(pause)}. \`holdfast resume\` ends the pause.`);
    const { length: underWay } = status.running;
    if (underWay > 0) {
      print.say(`${plural(underWay, 'run')} under way will still end; \`holdfast runs cancel\` stops one.`);
    }
  },
});
