import { rm } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { noSystemd, systemctl, UNIT, unitPath } from '../service-unit.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Stops the service and removes its unit. Plans, settings and backups stay.',
  options: {},
  async run(context) {
    const { globals, json, print, env } = context;
    const file = unitPath(env);
    const stopped = await systemctl(['disable', '--now', UNIT], context);
    // Without systemd there is nothing to stop, but the file may have come with the home folder.
    await rm(file, { force: true });
    if (stopped === undefined) throw noSystemd();
    await systemctl(['daemon-reload'], context);
    if (globals.json) return json.write({ file });
    print.say('The service is removed. Plans, settings and backups stay.');
  },
});
