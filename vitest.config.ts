import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * From the source tree, a worker thread strips the types of what it loads with a WebAssembly module, whose calls to
 * JavaScript V8 13.6 compiles anew when they are frequent; done in two threads at once, that can crash the process
 * (null pointer in RecursiveMutex::Lock under Runtime_TierUpWasmToJSWrapper). With this it is never done.
 * The built program loads a bundle and strips nothing.
 */
const execArgv = ['--wasm-wrapper-tiering-budget=1000000000'];

const common = {
  environment: 'node',
  pool: 'forks',
  execArgv,
  restoreMocks: true,
  setupFiles: 'test/helpers/one-seed.ts',
  // CI tries once more what fails, and names it loudly: see line-reporter.ts.
  retry: process.env.CI ? 1 : 0,
} as const;

/** Real folders, real repositories, real keys: each takes a minute. */
const HOST = [
  'test/unit/host/{host,destinations,faults,read-only,sign-in,remote,cloud}.test.ts',
  'test/unit/main/shell.test.ts',
];

/**
 * unit: needs nothing but npm and takes a minute or two. host: the whole host at work; not part of `check`. cli: runs the
 * built program as people do. e2e: the built window in a browser that comes by npm, and the shell's bundles by a double.
 * compat, real: need the tools that `.ci/run` installs (restic, borg, servers, loop devices); the first two files at a time, then the
 * others one by one, for they share what a machine has only one of.
 */
export default defineConfig({
  test: {
    // Two also on two cores: most tests wait for files, processes and sockets.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './test/helpers/line-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/{unit,contract,property,golden}/**/*.test.ts'],
          exclude: HOST,
          testTimeout: 120_000,
        },
      },
      { test: { ...common, name: 'host', include: HOST, testTimeout: 120_000, hookTimeout: 120_000 } },
      { test: { ...common, name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          ...common,
          name: 'e2e',
          globalSetup: 'test/helpers/browser-first.ts',
          include: ['test/{e2e,e2e-main}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          // After the others, which may take as many workers as they like.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'compat',
          include: ['test/{compat,crash}/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
