import { join } from 'node:path';
import type { CliPlace } from './cli.ts';
import { ResticCli } from './cli.ts';
import { newerRestic } from './tools.ts';

/** The real restic. `HOLDFAST_TEST_RESTIC_NEW` names a newer one for `Restic.newer`. */
export class Restic extends ResticCli {
  protected override readonly program: readonly [string];

  constructor(place: CliPlace, binary = 'restic') {
    super(place);
    this.program = [binary];
  }

  /** Only after `requireTool(context, 'restic-new')`. */
  static newer(place: CliPlace): Restic {
    const binary = newerRestic();
    if (binary === undefined) throw new Error('HOLDFAST_TEST_RESTIC_NEW names no program');
    return new Restic(place, binary);
  }

  override with(place: Partial<CliPlace>): Restic {
    return new Restic({ ...this.place, ...place }, this.program[0]);
  }

  protected override ownEnvironment(): Readonly<Record<string, string>> {
    return {
      RESTIC_REPOSITORY: this.place.repository,
      RESTIC_PASSWORD: this.password,
      RESTIC_CACHE_DIR: join(this.place.home, 'cache'),
    };
  }
}
