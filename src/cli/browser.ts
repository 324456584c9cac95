/** Shows an address in the person's browser without naming it in the arguments of a program, which every user can read. */
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Printer } from './printer.ts';

/**
 * Opens a page of the data folder, for this person's eyes only, that leads to the address. The page goes when the result
 * is disposed of. A browser that can't be opened is a problem to tell, not an error.
 */
export async function openInBrowser(url: string, dataDir: string, print: Printer): Promise<AsyncDisposable> {
  const page = path.join(dataDir, 'open.html');
  await rm(page, { force: true });
  await writeFile(page, pageTo(url), { mode: 0o600, flag: 'wx' });
  const [program, ...args] = opener(process.platform, page);
  const child = spawn(program, args, { stdio: 'ignore', detached: true, windowsHide: true });
  child.on('error', () => print.problem('The browser could not be opened; open the address above by hand.'));
  child.unref();
  return { [Symbol.asyncDispose]: () => rm(page, { force: true }) };
}

export function opener(platform: NodeJS.Platform, file: string): readonly [string, ...string[]] {
  if (platform === 'darwin') return ['open', file];
  // `start` is a word of the shell; its first quoted argument would be a title.
  if (platform === 'win32') return ['cmd', '/c', 'start', '""', file];
  return ['xdg-open', file];
}

/** An address holds no characters that mean something in HTML, but that is not for us to rely on. */
export function pageTo(url: string): string {
  const escaped = url.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Holdfast</title>
<meta http-equiv="refresh" content="0; url=${escaped}"><p><a href="${escaped}">Holdfast</a></p>
`;
}
