/** The computer that the host runs on: folders to choose from, disks, and what to suggest. */
import { EngineError } from '../api/errors.ts';
import type { Disk, FolderListing, Suggestions } from '../api/model/computer.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';

export interface ComputerPorts {
  readonly home: string;
  readonly dataDir: string;
  plans(): readonly Plan[];
  destinations(): readonly Destination[];
}

export interface Computer {
  folder(path: string | null, signal?: AbortSignal): Promise<FolderListing>;
  makeFolder(path: string): Promise<void>;
  disks(signal?: AbortSignal): Promise<Disk[]>;
  suggestions(signal?: AbortSignal): Promise<Suggestions>;
}

export function createComputer(_ports: ComputerPorts): Computer {
  const none = () => Promise.reject(new EngineError('unsupported', 'Not there yet.'));
  return { folder: none, makeFolder: none, disks: none, suggestions: none };
}
