import process from 'node:process';
import { defineCommand } from '../command.ts';
import { VERSION } from '../version.ts';

/** The names that restic's own output has for these. */
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const MACHINES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const command = defineCommand({
  usage: '[flags]',
  description: 'Prints the version of Holdfast, and what it runs on.',
  options: {},
  async run({ globals, json, print }) {
    const system = SYSTEMS[process.platform] ?? process.platform;
    const machine = MACHINES[process.arch] ?? process.arch;
    if (!globals.json) {
      return print.result(`holdfast ${VERSION} running on Node.js ${process.version}, ${system}/${machine}`);
    }
    await json.write({
      message_type: 'version',
      version: VERSION,
      // Programs that read restic's output look for this name.
      go_version: `node ${process.version}`,
      go_os: system,
      go_arch: machine,
    });
  },
});
