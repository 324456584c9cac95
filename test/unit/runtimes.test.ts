import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The error codes that the compiler of one runtime gives for a source file at `at`. */
function errorsIn(config: string, at: string, source: string): number[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path.join(ROOT, config), ts.sys.readFile).config,
    ts.sys,
    ROOT,
  );
  const file = path.join(ROOT, at);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  host.getSourceFile = (name, version, ...rest) =>
    name === file ? ts.createSourceFile(name, source, version) : getSourceFile(name, version, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map((d) => d.code);
}

const NO_SUCH_NAME_TRY_LIB = 2584;
const NO_SUCH_MODULE = 2591;
const usesFiles = "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x');\n";
const usesPage = 'export const title = document.title;\n';
const usesNeither = 'export const one: number = 1;\n';

describe('the compiler of each runtime', { timeout: 60_000 }, () => {
  it.for([
    ['engine', 'tsconfig.json', 'src/host/probe.ts', usesPage, [NO_SUCH_NAME_TRY_LIB]],
    ['engine', 'tsconfig.json', 'src/host/probe.ts', usesFiles, []],
    ['contract', 'tsconfig.api.json', 'src/api/probe.ts', usesFiles, [NO_SUCH_MODULE]],
    ['contract', 'tsconfig.api.json', 'src/api/probe.ts', usesPage, [NO_SUCH_NAME_TRY_LIB]],
    ['contract', 'tsconfig.api.json', 'src/api/probe.ts', usesNeither, []],
    ['renderer', 'tsconfig.renderer.json', 'renderer/probe.ts', usesFiles, [NO_SUCH_MODULE]],
    ['renderer', 'tsconfig.renderer.json', 'renderer/probe.ts', usesPage, []],
    [
      'renderer',
      'tsconfig.renderer.json',
      'renderer/probe.ts',
      'export const p = process.pid;\n',
      [NO_SUCH_MODULE],
    ],
    ['main', 'tsconfig.main.json', 'main/probe.ts', usesPage, [NO_SUCH_NAME_TRY_LIB]],
    ['main', 'tsconfig.main.json', 'main/probe.ts', usesFiles, []],
    ['test', 'tsconfig.test.json', 'test/probe.ts', usesPage, [NO_SUCH_NAME_TRY_LIB]],
  ] as const)('%s (%s, %s)', ([, config, at, source, expected]) => {
    expect(errorsIn(config, at, source)).toEqual(expected);
  });

  it('is strict everywhere', () => {
    const sloppy = 'export function f(x) {\n  return x;\n}\nexport const y: string = undefined;\n';
    for (const [config, at] of [
      ['tsconfig.json', 'src/host/probe.ts'],
      ['tsconfig.main.json', 'main/probe.ts'],
      ['tsconfig.renderer.json', 'renderer/probe.ts'],
      ['tsconfig.test.json', 'test/probe.ts'],
    ] as const) {
      expect(errorsIn(config, at, sloppy)).toEqual([7006, 2322]);
    }
  });
});
