/**
 * Makes `dist/renderer`: the window's page, for the host's web server and for the shell. The content security policy lets in
 * no script or style but files, so everything is one, and Mantine's variables are computed here instead of in the page.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { convertCssVariables, DEFAULT_THEME, mergeMantineTheme } from '@mantine/core';
import react from '@vitejs/plugin-react';
import { build, type Plugin, type Rollup } from 'vite';
import { cssVariables, theme } from '../renderer/theme.ts';

const project = path.dirname(import.meta.dirname);

/** Builds into `dist/renderer`. What older builds left goes last, so that an open page still finds its files meanwhile. */
export async function buildRenderer(): Promise<void> {
  const outDir = path.join(project, 'dist', 'renderer');
  const result = await build({
    root: path.join(project, 'renderer'),
    configFile: false,
    logLevel: 'warn',
    plugins: [react(), themeVariables()],
    build: {
      outDir,
      emptyOutDir: false,
      target: 'chrome130',
      // The policy knows no data: for fonts and styles.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: true,
      chunkSizeWarningLimit: 2000,
    },
  });
  const outputs = [result].flat() as Rollup.RollupOutput[];
  await removeAllBut(
    outDir,
    new Set(outputs.flatMap(({ output }) => output.map(({ fileName }) => fileName))),
  );
}

async function removeAllBut(folder: string, fresh: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !fresh.has(path.relative(folder, file).replaceAll('\\', '/'))) await rm(file);
  }
}

/** `import 'virtual:theme.css'` */
function themeVariables(): Plugin {
  const id = 'virtual:theme.css';
  const resolved = `\0${id}`;
  return {
    name: 'holdfast-theme',
    resolveId: (source) => (source === id ? resolved : undefined),
    load: (source) =>
      source === resolved
        ? convertCssVariables(cssVariables(mergeMantineTheme(DEFAULT_THEME, theme)), ':root')
        : undefined,
  };
}
