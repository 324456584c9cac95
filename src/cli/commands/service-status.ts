import { access } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSystemd, systemctl, UNIT, unitPath } from '../service-unit.ts';

export const command = defineCommand({
  usage: '[flags]',
  description:
    'Says whether the service is installed and running. Ends with 0 if it is running, else with 3.',
  options: {},
  async run(context) {
    const { globals, json, print, env } = context;
    const file = unitPath(env);
    const installed = await access(file).then(
      () => true,
      () => false,
    );
    const active = await systemctl(['is-active', UNIT], context);
    if (active === undefined) throw noSystemd();
    const state = active.output === '' ? 'unknown' : active.output;
    const running = active.code === 0;
    if (globals.json) await json.write({ file, installed, running, state });
    else if (!installed) print.result('The service is not installed. `holdfast service install` does it.');
    else
      print.result(
        running ? 'The service is running.' : `The service is installed, but not running (${state}).`,
      );
    return running ? EXIT.ok : EXIT.incomplete;
  },
});
