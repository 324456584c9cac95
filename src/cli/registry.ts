/** Every command, a line each, in the order in which the help lists them. */
import type { Registry } from './command.ts';

export const registry: Registry = {
  init: {
    kind: 'command',
    summary: 'Make a new repository',
    load: () => import('./commands/init.ts'),
  },
  cache: {
    kind: 'command',
    summary: 'List local caches and remove old ones',
    load: () => import('./commands/cache.ts'),
  },
  version: {
    kind: 'command',
    summary: 'Print the version',
    load: () => import('./commands/version.ts'),
  },
  welcome: {
    kind: 'command',
    summary: 'Start here: the first backup in one question',
    load: () => import('./commands/welcome.ts'),
  },
};
