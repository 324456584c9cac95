/** Ids that Drive has given for files to come; asked for by the hundred. */
import { EngineError } from '../../api/errors.ts';
import { orAbort } from '../calls.ts';
import type { Wire } from './wire.ts';

const AT_ONCE = 100;

export class Ids {
  readonly #wire: Wire;
  readonly #kept: string[] = [];
  #asking: Promise<void> | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async take(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      const id = this.#kept.pop();
      if (id !== undefined) return id;
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      await orAbort(this.#asking, signal);
    }
  }

  async #ask(): Promise<void> {
    const wanted = { count: AT_ONCE, space: 'drive', type: 'files', fields: 'ids' };
    const { ids } = await this.#wire.call(undefined, () => this.#wire.sdk.files.generateIds(wanted));
    if (!ids?.length)
      throw new EngineError('io', 'Google Drive gave no ids for new files.', { transient: true });
    this.#kept.push(...ids);
  }
}
