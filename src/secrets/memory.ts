/** Secrets that end with the process: for tests, and for a host that must leave nothing behind. */
import type { Secrets } from './secrets.ts';

export function memorySecrets(initial: Readonly<Record<string, string>> = {}): Secrets {
  const all = new Map(Object.entries(initial));
  return {
    get: async (name) => all.get(name),
    set: async (name, value) => {
      all.set(name, value);
    },
    remove: async (name) => {
      all.delete(name);
    },
    names: async () => [...all.keys()].sort(),
  };
}
