/** Compiles the chunker's kernel: src/chunker/kernel/index.ts → src/chunker/kernel.wasm. */
import { rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

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

/** Builds the kernel unless it is newer than its source. Safe to run several times at once. */
export async function buildKernel(): Promise<void> {
  if (await isUpToDate()) return;
  // Written beside and renamed, so that no reader ever meets half a file.
  const fresh = `${OUTPUT.replace(/\.wasm$/, '')}.${process.pid}.new.wasm`;
  try {
    const { error, stderr } = await asc.main([
      SOURCE,
      '--baseDir',
      root,
      '--config',
      CONFIG,
      '--outFile',
      fresh,
    ]);
    if (error)
      throw new Error(`the chunker's kernel does not compile:\n${stderr.toString()}`, { cause: error });
    await rename(root + fresh, root + OUTPUT);
  } finally {
    await rm(root + fresh, { force: true });
  }
}

if (import.meta.main) await buildKernel();
