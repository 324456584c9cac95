import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { dataFolder, hostOptions } from '../host-client.ts';
import { flag, integer, text } from '../options.ts';
import { MARK, noSystemd, programFiles, systemctl, UNIT, unitPath, unitText } from '../service-unit.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Lets systemd run \`holdfast serve\` whenever this person is signed in, and starts it now. For backups while nobody is
signed in, run \`loginctl enable-linger\` once.`,
  options: {
    ...hostOptions,
    listen: text('--host address', 'name or address to listen at', '127.0.0.1'),
    port: integer('--port number', 'port to listen at', 8484, 1),
    print: flag('--print', 'print the unit, and change nothing'),
  },
  async run(context, _operands, flags) {
    const { globals, json, print, env } = context;
    const file = unitPath(env);
    const { listen: host, port } = flags;
    const unit = unitText({ ...(await programFiles()), dataDir: dataFolder(context, flags), host, port });
    if (flags.print) return globals.json ? json.write({ file, unit }) : print.result(unit);
    if ((await systemctl(['--version'], context)) === undefined) throw noSystemd();
    await refuseForeign(file);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.new`, unit);
    await rename(`${file}.new`, file);
    await call(context, file, 'daemon-reload');
    await call(context, file, 'enable', UNIT);
    await call(context, file, 'restart', UNIT);
    if (globals.json) return json.write({ file });
    print.say(`Holdfast runs now, and whenever you are signed in (${file}).`);
    print.say('`journalctl --user -u holdfast` shows the address for the browser.');
  },
});

async function refuseForeign(file: string): Promise<void> {
  const there = await readFile(file, 'utf8').catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'ENOENT') return MARK;
    throw new EngineError('permission', `The unit ${file} can't be read: ${e.message}`, {}, { cause: e });
  });
  if (there.startsWith(MARK)) return;
  throw new EngineError('conflict', `There is a unit ${file} that Holdfast did not make.`, {
    hint: 'Move it away, or remove it, and try again.',
  });
}

async function call(context: CommandContext, file: string, ...args: string[]): Promise<void> {
  const result = await systemctl(args, context);
  if (result === undefined) throw noSystemd();
  if (result.code === 0) return;
  throw new EngineError('unsupported', `systemctl --user ${args.join(' ')} failed: ${result.output}`, {
    hint: `The unit is in ${file}. A session without systemd, such as one of sudo, can't start it; sign in as this person and try again.`,
  });
}
