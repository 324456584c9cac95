/** Compiles the chunker's kernel: src/chunker/kernel/index.ts → src/chunker/kernel.wasm. */
import { execFile } from 'node:child_process';
import { rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = 'src/chunker/kernel';
const SOURCE = `${FOLDER}/index.ts`;
const CONFIG = `${FOLDER}/asconfig.json`;
const OUTPUT = 'src/chunker/kernel.wasm';

const root = fileURLToPath(new URL('..', import.meta.url));

async function changedAt(file: string): Promise<number> {
  return stat(root + file).then(
    (s) => s.mtimeMs,
    () => 0,
  );
}

async function isUpToDate(): Promise<boolean> {
  const inputs = await Promise.all([SOURCE, CONFIG, 'scripts/build-wasm.ts'].map(changedAt));
  return (await changedAt(OUTPUT)) > Math.max(...inputs);
}

/** Runs the compiler as a program: it is large, and few who call this need it. Its complaints are in the error. */
async function compile(output: string): Promise<void> {
  const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
  const options = ['--config', CONFIG, '--outFile', output];
  await promisify(execFile)(process.execPath, [compiler, SOURCE, ...options], { cwd: root });
}

/** Builds the kernel unless it is newer than its source. Safe to run several times at once. */
export async function buildKernel(): Promise<void> {
  if (await isUpToDate()) return;
  // Written beside and renamed, so that no reader ever meets half a file.
  const fresh = `${OUTPUT.replace(/\.wasm$/, '')}.${process.pid}.new.wasm`;
  try {
    await compile(fresh);
    await rename(root + fresh, root + OUTPUT);
  } finally {
    await rm(root + fresh, { force: true });
  }
}

if (import.meta.main) await buildKernel();
