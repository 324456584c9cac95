/** What a file of a version holds, how it differs from today's, and what a restore would do. */
import { EngineError } from '../api/errors.ts';
import type { Comparison, FileInVersion, FilePreview, RestoreEstimate } from '../api/model/look.ts';
import type { RestoreRequest } from '../api/model/run.ts';
import type { Clock } from '../util/clock.ts';
import type { OpenedVersions } from './opened.ts';

export interface PeekPorts {
  readonly clock: Clock;
  readonly hostname: string;
  versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions>;
  /** Bytes a second of the last restore from there; null: unknown. */
  lastRate(destinationId: string): number | null;
}

export interface Peek {
  preview(file: FileInVersion, signal?: AbortSignal): Promise<FilePreview>;
  compare(file: FileInVersion, signal?: AbortSignal): Promise<Comparison>;
  estimate(request: RestoreRequest, signal?: AbortSignal): AsyncGenerator<RestoreEstimate, void>;
}

export function createPeek(_ports: PeekPorts): Peek {
  const none = () => Promise.reject(new EngineError('unsupported', 'Not there yet.'));
  return {
    preview: none,
    compare: none,
    async *estimate() {
      await none();
    },
  };
}
