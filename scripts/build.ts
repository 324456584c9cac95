/**
 * Makes `dist/`: the chunker's kernel in WebAssembly, one bundle each for the command line and the threads, and
 * the window's page in `dist/renderer`. `dist/` is flat on purpose: a file beside the code is found with `new URL('./name', import.meta.url)`
 * from the sources and from every bundle alike.
 */
import { copyFile, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { type BuildOptions, build } from 'esbuild';
import { buildRenderer } from './build-renderer.ts';
import { buildKernel } from './build-wasm.ts';

const project = path.dirname(import.meta.dirname);
const dist = path.join(project, 'dist');

const common = {
  absWorkingDir: project,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  external: ['better-sqlite3', 'koffi', 'sodium-native', 'cpu-features', '*.node'],
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  // What is CommonJS inside a bundle still asks for Node's own modules by `require`.
  banner: {
    js: [
      "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
      'const __here = import.meta.dirname;',
    ].join(' '),
  },
  // ssh2 asks for its own folder as CommonJS does.
  define: { __dirname: '__here' },
  logLevel: 'warning',
} as const satisfies BuildOptions;

async function main(): Promise<void> {
  const start = performance.now();
  await mkdir(dist, { recursive: true });
  const [, ...made] = await Promise.all([
    linkCommand(),
    copyKernel(),
    bundleCommandLine(),
    bundleWorkers(),
    bundleRenderer(),
  ]);
  const fresh = new Set(made.flat());
  await removeAllBut(fresh);
  console.log(`Built ${fresh.size} files into dist/ in ${Math.round(performance.now() - start)} ms.`);
}

/** What older builds left goes last: a Holdfast that runs right now still finds its files for most of the build. */
async function removeAllBut(fresh: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(dist)) {
    // The compile cache stays: its entries are bound to the very code that they were made from.
    if (!fresh.has(name) && !name.startsWith('.')) await rm(path.join(dist, name), { recursive: true });
  }
}

/** The names of what was made, as from the functions below. */
async function copyKernel(): Promise<readonly string[]> {
  await buildKernel();
  await copyFile(path.join(project, 'src/chunker/kernel.wasm'), path.join(dist, 'kernel.wasm'));
  return ['kernel.wasm'];
}

async function bundleRenderer(): Promise<readonly string[]> {
  await buildRenderer();
  return ['renderer'];
}

/** Split, so that a command loads only its own code. */
function bundleCommandLine(): Promise<readonly string[]> {
  return bundle({
    entryPoints: { holdfast: 'src/cli/main.ts' },
    splitting: true,
    chunkNames: '[name]-[hash]',
  });
}

/** One file each: a thread loads all of its own anyway. */
function bundleWorkers(): Promise<readonly string[]> {
  return bundle({
    entryPoints: { 'worker-main': 'src/workers/worker-main.ts', 'disk-worker': 'src/host/disk-worker.ts' },
  });
}

async function bundle(options: BuildOptions): Promise<readonly string[]> {
  const { metafile } = await build({ ...common, ...options, metafile: true });
  return Object.keys(metafile.outputs).map((output) => path.basename(output));
}

/** npm links the commands of dependencies only. `npx holdfast` in this folder must find the one of the project. */
async function linkCommand(): Promise<void> {
  const bin = path.join(project, 'node_modules', '.bin');
  await mkdir(bin, { recursive: true });
  if (process.platform === 'win32') {
    await writeFile(path.join(bin, 'holdfast.cmd'), '@node "%~dp0\\..\\..\\src\\cli\\holdfast.mjs" %*\r\n');
    return;
  }
  const link = path.join(bin, 'holdfast');
  if (await lstat(link).catch(() => undefined)) await rm(link);
  await symlink(path.join('..', '..', 'src', 'cli', 'holdfast.mjs'), link);
}

await main();
