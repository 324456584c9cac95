/**
 * The computer that the host runs on: folders to choose from, disks, and what to suggest.
 *
 * folder       one of the host's own computer; over the web that is not the computer one sits at
 * disk         a mounted file system that people would call one
 * suggestion   what a person may begin with: own folders that are there, and places for backups that are not on their disks
 */
import { EngineError } from '../api/errors.ts';
import type { Disk, FolderListing, Suggestions } from '../api/model/computer.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { Clock } from '../util/clock.ts';
import { listFolder, makeFolder } from './folders.ts';
import { Patience } from './patience.ts';

export interface ComputerPorts {
  readonly home: string;
  readonly dataDir: string;
  readonly clock: Clock;
  plans(): readonly Plan[];
  destinations(): readonly Destination[];
}

export interface Computer {
  folder(path: string | null, signal?: AbortSignal): Promise<FolderListing>;
  makeFolder(path: string): Promise<void>;
  disks(signal?: AbortSignal): Promise<Disk[]>;
  suggestions(signal?: AbortSignal): Promise<Suggestions>;
}

export function createComputer(ports: ComputerPorts): Computer {
  const none = () => Promise.reject(new EngineError('unsupported', 'Not there yet.'));
  const folders = {
    platform: process.platform,
    home: ports.home,
    patience: new Patience(ports.clock),
    drives: async () => [],
  };
  return {
    folder: (path, signal) => listFolder(folders, path, signal),
    makeFolder: (path) => makeFolder(folders, path),
    disks: none,
    suggestions: none,
  };
}
