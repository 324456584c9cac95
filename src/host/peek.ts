/**
 * What a file of a version holds, how it differs from today's, and what a restore would do.
 *
 * today  what lies on this computer where the version's file came from
 */
import type { Comparison, FileInVersion, FilePreview, RestoreEstimate } from '../api/model/look.ts';
import type { RestoreRequest } from '../api/model/run.ts';
import type { Clock } from '../util/clock.ts';
import { compareWithToday } from './comparison.ts';
import { estimateOf } from './estimate.ts';
import { nodeAt } from './node-at.ts';
import type { OpenedVersions } from './opened.ts';
import { previewOf } from './preview.ts';

export interface PeekPorts {
  readonly clock: Clock;
  readonly hostname: string;
  versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions>;
  /** Bytes a second of the last restore from there; null: unknown. */
  lastRate(destinationId: string): number | null;
}

/** Errors of all: 'snapshot-missing', 'ambiguous', 'path-missing', 'damaged', those of opening, the signal's reason. */
export interface Peek {
  preview(file: FileInVersion, signal?: AbortSignal): Promise<FilePreview>;
  compare(file: FileInVersion, signal?: AbortSignal): Promise<Comparison>;
  estimate(request: RestoreRequest, signal?: AbortSignal): AsyncGenerator<RestoreEstimate, void>;
}

export function createPeek(ports: PeekPorts): Peek {
  const find = async ({ destinationId, versionId, path }: FileInVersion, signal?: AbortSignal) => {
    const o = signal ? { signal } : {};
    const opened = await ports.versions(destinationId, signal);
    const snapshot = opened.named(versionId);
    const repo = await opened.indexed();
    signal?.throwIfAborted();
    return { repo, snapshot, found: await nodeAt(repo, snapshot.tree, path, o), o };
  };
  return {
    preview: async (file, signal) => {
      const { repo, found, o } = await find(file, signal);
      return previewOf(repo, found.node, o);
    },
    compare: async (file, signal) => {
      const { repo, snapshot, found, o } = await find(file, signal);
      return compareWithToday(repo, snapshot, found, ports.hostname, o);
    },
    async *estimate(request, signal) {
      const { destinationId, versionId } = request;
      const opened = await ports.versions(destinationId, signal);
      const snapshot = opened.named(versionId);
      const o = { clock: ports.clock, rate: ports.lastRate(destinationId), ...(signal ? { signal } : {}) };
      yield* estimateOf(await opened.indexed(), snapshot, request, o);
    },
  };
}
