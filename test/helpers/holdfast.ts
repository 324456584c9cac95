import { join, resolve } from 'node:path';
import type { CliPlace } from './cli.ts';
import { ResticCli } from './cli.ts';

/** What `npx holdfast` starts. */
export const ENTRY = resolve(import.meta.dirname, '../../src/cli/holdfast.mjs');

/** The built command line of this project, as people run it: a process of its own. */
export class Holdfast extends ResticCli {
  protected override readonly program = [process.execPath, ENTRY] as const;

  override with(place: Partial<CliPlace>): Holdfast {
    return new Holdfast({ ...this.place, ...place });
  }

  protected override ownEnvironment(): Readonly<Record<string, string>> {
    return {
      HOLDFAST_REPOSITORY: this.place.repository,
      HOLDFAST_PASSWORD: this.password,
      HOLDFAST_DATA_DIR: join(this.place.home, 'holdfast-data'),
      HOLDFAST_CACHE_DIR: join(this.place.home, 'holdfast-cache'),
    };
  }
}
