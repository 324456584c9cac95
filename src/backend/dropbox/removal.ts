/** Removing: by batches, like commits. A batch of more than one file is a job at Dropbox that is asked how far it is. */
import type { async, files } from 'dropbox';
import { EngineError, isEngineError } from '../../api/errors.ts';
import type { Clock } from '../../util/clock.ts';
import { Batch, type BatchParts } from './batch.ts';
import { fromTag, tagOf } from './errors.ts';
import type { Wire } from './wire.ts';

const POLL = { firstMs: 100, mostMs: 2_000 } as const;
const GONE = 'path_lookup/not_found';

type Outcomes = readonly (EngineError | undefined)[];
type Job = files.DeleteBatchLaunch | files.DeleteBatchJobStatus;

export class Removals {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #batch: Batch<string>;

  constructor(wire: Wire, parts: Omit<BatchParts<string>, 'run'>) {
    this.#wire = wire;
    this.#clock = parts.clock;
    this.#batch = new Batch({ ...parts, run: (paths) => this.#run(paths) });
  }

  /** Absent file: success. */
  async remove(path: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#batch.add(path, path, signal);
  }

  async #run(paths: readonly string[]): Promise<Outcomes> {
    const [first] = paths;
    if (first !== undefined && paths.length === 1) return [await this.#removeOne(first)];
    const call = () => this.#wire.sdk.filesDeleteBatch({ entries: paths.map((path) => ({ path })) });
    const { result } = await this.#wire.write('remove files', call);
    const { entries } = await this.#completed(result);
    return paths.map((_, i) => outcomeOf(entries[i]));
  }

  async #removeOne(path: string): Promise<undefined> {
    try {
      await this.#wire.write('remove a file', () => this.#wire.sdk.filesDeleteV2({ path }));
    } catch (e) {
      if (!isEngineError(e) || e.context.reason !== GONE) throw e;
    }
  }

  async #completed(launch: files.DeleteBatchLaunch): Promise<files.DeleteBatchResult> {
    let job: Job = launch;
    const id = launch['.tag'] === 'async_job_id' ? launch.async_job_id : '';
    for (let ms: number = POLL.firstMs; isUnderWay(job); ms = Math.min(POLL.mostMs, ms * 2)) {
      await this.#clock.sleep(ms);
      job = await this.#ask({ async_job_id: id });
    }
    if (job['.tag'] === 'complete') return job;
    const tag = job['.tag'] === 'failed' ? tagOf(job.failed) : tagOf(job);
    throw fromTag(tag, 'remove files');
  }

  async #ask(job: async.PollArg): Promise<files.DeleteBatchJobStatus> {
    const call = () => this.#wire.sdk.filesDeleteBatchCheck(job);
    return (await this.#wire.write('remove files', call)).result;
  }
}

function isUnderWay(job: Job): boolean {
  return job['.tag'] === 'async_job_id' || job['.tag'] === 'in_progress';
}

function outcomeOf(entry: files.DeleteBatchResultEntry | undefined): EngineError | undefined {
  if (entry === undefined) return new EngineError('io', 'Dropbox did not tell of every file it removed.');
  if (entry['.tag'] === 'success') return undefined;
  const tag = tagOf(entry.failure);
  return tag === GONE ? undefined : fromTag(tag, 'remove a file');
}
