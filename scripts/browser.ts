/**
 * A real Chromium for tests and screenshots, which comes by npm and needs nothing else of the machine: where the system lacks
 * its libraries (NSS) or fonts, it takes those that come along. HOLDFAST_CHROMIUM names another one to use instead.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import packed, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright';

/** Not the system's folder for temporary files: another version may have been unpacked there, by somebody else. */
const unpacked = path.join(path.dirname(import.meta.dirname), 'node_modules', '.cache', 'chromium');

/**
 * Launches it, headless. Its sandbox needs rights that containers don't have, so it is off: it only ever shows Holdfast's own
 * pages. Everything else that keeps pages apart is on, unlike with the package's own list of arguments.
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.HOLDFAST_CHROMIUM ?? (await unpack(() => packed.executablePath()));
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu'],
    env: { ...plainEnv(), ...(await libraries(executablePath)), ...(await fonts()) },
  });
}

/** The package unpacks into the folder for temporary files alone. */
async function unpack(work: () => Promise<string>): Promise<string> {
  await mkdir(unpacked, { recursive: true });
  const before = process.env.TMPDIR;
  process.env.TMPDIR = unpacked;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

async function libraries(executable: string): Promise<Readonly<Record<string, string>>> {
  try {
    await promisify(execFile)(executable, ['--version']);
    return {};
  } catch (e) {
    if (!String(e).includes('shared libraries')) throw e;
    const folder = await unpack(() => inflate(inPackage('al2023.tar.br')));
    return { LD_LIBRARY_PATH: path.join(folder, 'lib') };
  }
}

async function fonts(): Promise<Readonly<Record<string, string>>> {
  if (process.platform !== 'linux' || existsSync('/etc/fonts/fonts.conf')) return {};
  const folder = await unpack(() => inflate(inPackage('fonts.tar.br')));
  const file = path.join(unpacked, 'fonts.conf');
  // The one in the package names folders of a certain cloud.
  await writeFile(
    file,
    `<fontconfig><dir>${folder}</dir><cachedir>${path.join(unpacked, 'font-cache')}</cachedir></fontconfig>\n`,
  );
  return { FONTCONFIG_FILE: file };
}

function inPackage(name: string): string {
  const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  return path.join(path.dirname(main), '..', 'bin', name);
}

function plainEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
  );
}
