import { defineConfig } from 'vitest/config';

const common = { environment: 'node', pool: 'forks', restoreMocks: true } as const;

/**
 * unit: needs nothing but npm and takes seconds. cli: runs the built program as people do.
 * real: needs the tools that `.ci/run` installs (restic, borg, loop devices).
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/helpers/line-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/{unit,contract,property,golden}/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      { test: { ...common, name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          ...common,
          name: 'real',
          include: ['test/{compat,crash,real}/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
