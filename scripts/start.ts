/** `npm start`: Holdfast in its window where Electron can run, else the same in the browser, and one line that says which. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { buildMain } from './build-main.ts';

const project = path.dirname(import.meta.dirname);

/** Electron's binary, or undefined where it was not fetched. Electron itself would throw, or fetch it. */
async function electronBinary(): Promise<string | undefined> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  const name = await readFile(path.join(folder, 'path.txt'), 'utf8').catch(() => undefined);
  if (name === undefined) return undefined;
  const binary = path.join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(folder, 'dist'), name.trim());
  return existsSync(binary) ? binary : undefined;
}

/** Why the window can't open here, as a sentence; undefined: it can. */
export async function whyNoWindow(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return 'There is no display.';
  if ((await electronBinary()) === undefined) {
    return 'The Electron binary is not installed (`node node_modules/electron/install.js` fetches it).';
  }
  return undefined;
}

/** Runs a program in the place of this one, as far as that goes. */
function become(program: string, args: readonly string[]): void {
  const child = spawn(program, args, { stdio: 'inherit', cwd: project });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the child by itself; twice would mean "stop at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (e) => {
    console.error(`${program} can't be run: ${e.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

async function main(args: readonly string[]): Promise<void> {
  const missing = await whyNoWindow();
  const binary = await electronBinary();
  if (missing === undefined && binary !== undefined) {
    console.log('Holdfast opens in its window.');
    await buildMain({ out: path.join(project, 'main', 'dist') });
    return become(binary, [path.join(project, 'main', 'dist', 'main.cjs'), ...args]);
  }
  console.log(`Holdfast opens in the browser instead of a window. ${missing ?? ''}`);
  become(process.execPath, [path.join(project, 'src', 'cli', 'holdfast.mjs'), 'serve', '--open', ...args]);
}

if (import.meta.main) await main(process.argv.slice(2));
