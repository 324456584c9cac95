/**
 * Makes `main/dist/`, the desktop app as Electron runs it: the main process and the preload script as CommonJS (a sandboxed
 * preload script can be nothing else), the host's process and its threads as modules, the kernel, the pictures, and the
 * window's files where they have been built. `buildMain` can build elsewhere, for tests.
 */
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { buildKernel } from './build-wasm.ts';

const project = path.dirname(import.meta.dirname);

const common = {
  absWorkingDir: project,
  bundle: true,
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  logLevel: 'warning',
} as const satisfies BuildOptions;

export interface BuildMainOptions {
  /** Absolute; emptied first. */
  readonly out: string;
  /** The window's built files; undefined: those in dist/renderer, if they are there. */
  readonly window?: string;
}

export async function buildMain({ out, window }: BuildMainOptions): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await Promise.all([
    build({
      ...common,
      format: 'cjs',
      entryPoints: { main: 'main/main.ts', preload: 'main/preload.ts' },
      outdir: out,
      outExtension: { '.js': '.cjs' },
      external: ['electron'],
    }),
    build({
      ...common,
      format: 'esm',
      entryPoints: {
        host: 'src/host/utility-main.ts',
        'worker-main': 'src/workers/worker-main.ts',
        'disk-worker': 'src/host/disk-worker.ts',
      },
      outdir: out,
      outExtension: { '.js': '.mjs' },
      external: ['better-sqlite3', 'koffi', 'sodium-native', 'cpu-features', '*.node'],
      // What is CommonJS inside a bundle still asks for Node's own modules by `require`.
      banner: {
        js: [
          "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
          'const __here = import.meta.dirname;',
        ].join(' '),
      },
      // ssh2 asks for its own folder as CommonJS does.
      define: { __dirname: '__here' },
    }),
    copyKernel(out),
    copyPictures(out),
    copyWindow(window ?? path.join(project, 'dist', 'renderer'), path.join(out, 'window')),
  ]);
}

/** Those that the program shows itself; the others are for the packager. */
async function copyPictures(out: string): Promise<void> {
  for (const name of ['icon.png', 'tray']) {
    await cp(path.join(project, 'assets', 'rendered', name), path.join(out, 'assets', name), {
      recursive: true,
    });
  }
}

async function copyKernel(out: string): Promise<void> {
  await buildKernel();
  await cp(path.join(project, 'src', 'chunker', 'kernel.wasm'), path.join(out, 'kernel.wasm'));
}

/** The app starts without it, too; its window says that there is nothing. */
async function copyWindow(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true }).catch((e: NodeJS.ErrnoException) => {
    if (e.code !== 'ENOENT') throw e;
  });
}

if (import.meta.main) {
  const out = path.join(project, 'main', 'dist');
  await buildMain({ out });
  console.log(`Built the desktop app into ${path.relative(project, out)}/.`);
}
