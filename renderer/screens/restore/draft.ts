/**
 * What a person has said of a restore so far. Where they are (destination, version, step) is in the address, so that the browser's
 * Back works; the rest is kept for as long as the page is open, and found again by whoever comes back.
 */
import { useSyncExternalStore } from 'react';
import type { Destination, Version } from '../../../src/api/model/destination.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import { isAbsolute, joined } from '../../components/paths.ts';
import { dayKey } from './months.ts';
import { NOTHING, type Selection } from './selection.ts';

export const STEPS = ['version', 'files', 'where', 'review'] as const;
export type StepName = (typeof STEPS)[number];

export type TargetKind = RestoreRequest['target']['kind'];
export type ArchiveFormat = 'zip' | 'tar';

export interface Draft {
  /** Of which the selection is. */
  readonly destinationId: string | null;
  readonly selection: Selection;
  /** To be opened and focused in the tree as soon as it is shown. */
  readonly reveal: string | null;
  readonly search: string;
  /** null: not chosen, so the proposal counts. The same for the texts below. */
  readonly target: TargetKind | null;
  readonly folder: string | null;
  readonly archiveFolder: string | null;
  readonly archiveName: string | null;
  readonly format: ArchiveFormat;
  readonly conflicts: RestoreRequest['conflicts'];
  readonly verify: boolean;
  /** Where the person was; '' at the beginning. */
  readonly address: string;
}

const FRESH: Draft = {
  destinationId: null,
  selection: NOTHING,
  reveal: null,
  search: '',
  target: null,
  folder: null,
  archiveFolder: null,
  archiveName: null,
  format: 'zip',
  conflicts: 'keep-both',
  verify: true,
  address: '',
};

let draft = FRESH;
const watchers = new Set<() => void>();

export function changeDraft(change: Partial<Draft>): void {
  draft = { ...draft, ...change };
  for (const watcher of watchers) watcher();
}

export function forgetDraft(): void {
  changeDraft(FRESH);
}

/** The tree is left where it is gone to again, unless somebody is on the way to another place. */
export function keepPlace(path: string): void {
  if (draft.reveal === null) changeDraft({ reveal: path });
}

/** At a destination's versions; what was chosen of another one's is no more. */
export function arrive(destinationId: string, address: string): void {
  const elsewhere = draft.destinationId !== null && draft.destinationId !== destinationId;
  changeDraft({ destinationId, address, ...(elsewhere ? { selection: NOTHING, reveal: null } : {}) });
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useDraft(): Draft {
  return useSyncExternalStore(watch, () => draft);
}

/** Where in the wizard somebody is, as the address says it. */
export interface Position {
  readonly destinationId: string | null;
  readonly versionId: string | null;
  readonly step: StepName;
  /** Of a link that leads to a file or folder. */
  readonly path: string | null;
  /** The restore that was started; everything else is over then. */
  readonly runId: string | null;
}

export function positionOf(params: URLSearchParams): Position {
  const named = STEPS.find((step) => step === params.get('step'));
  const versionId = params.get('version');
  return {
    destinationId: params.get('destination'),
    versionId,
    step: named ?? (versionId === null ? 'version' : 'files'),
    path: params.get('path'),
    runId: params.get('run'),
  };
}

export function addressOf({ destinationId, versionId, step }: Omit<Position, 'path' | 'runId'>): string {
  const params = new URLSearchParams();
  if (destinationId !== null) params.set('destination', destinationId);
  if (versionId !== null) params.set('version', versionId);
  params.set('step', step);
  return `/restore?${params}`;
}

/** Another place in the wizard. */
export type Go = (to: {
  readonly versionId: string | null;
  readonly step: StepName;
  readonly destinationId?: string;
  /** In place of where the person is, not after it. */
  readonly replace?: boolean;
}) => void;

/** What the person has not said themselves. */
export interface Proposal {
  readonly target: TargetKind;
  readonly folder: string;
  readonly archiveFolder: string;
  readonly archiveName: string;
}

/** `home`: the person's own folder on the host's computer; '' while it is not known. */
export function proposalOf(
  version: Version,
  format: ArchiveFormat,
  { hostname, home }: { readonly hostname: string; readonly home: string },
): Proposal {
  const day = dayKey(version.at);
  return {
    // Another computer's paths mean something else here.
    target: version.hostname === hostname ? 'original' : 'folder',
    folder: home === '' ? '' : joined(home, `Restored ${day}`),
    archiveFolder: home,
    archiveName: `holdfast-${fileWord(version.planName ?? version.hostname)}-${day}.${format}`,
  };
}

/** Fit for a file's name on every system. */
function fileWord(text: string): string {
  const word = text
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return word === '' ? 'files' : word;
}

export type Where = Pick<Draft, 'conflicts' | 'verify' | 'format'> & Proposal;

/** As it stands: what was said, and where nothing was, what is proposed. */
export function whereOf(said: Draft, proposal: Proposal): Where {
  return {
    conflicts: said.conflicts,
    verify: said.verify,
    format: said.format,
    target: said.target ?? proposal.target,
    folder: (said.folder ?? proposal.folder).trim(),
    archiveFolder: (said.archiveFolder ?? proposal.archiveFolder).trim(),
    archiveName: (said.archiveName ?? proposal.archiveName).trim(),
  };
}

/** What every step but the first knows. */
export interface StepContext {
  readonly destination: Destination;
  readonly version: Version;
  readonly draft: Draft;
  readonly where: Where;
}

export type WhereProblem = 'no-folder' | 'relative' | 'no-name' | 'bad-name';

export function whereProblem(where: Where): WhereProblem | undefined {
  if (where.target === 'original') return undefined;
  const folder = where.target === 'folder' ? where.folder : where.archiveFolder;
  if (folder === '') return 'no-folder';
  if (!isAbsolute(folder)) return 'relative';
  if (where.target === 'folder') return undefined;
  if (where.archiveName === '') return 'no-name';
  return /[\\/]/.test(where.archiveName) ? 'bad-name' : undefined;
}

export function targetOf(where: Where): RestoreRequest['target'] {
  switch (where.target) {
    case 'original':
      return { kind: 'original' };
    case 'folder':
      return { kind: 'folder', path: where.folder };
    case 'archive': {
      const ending = `.${where.format}`;
      const name = where.archiveName.toLowerCase().endsWith(ending)
        ? where.archiveName
        : where.archiveName + ending;
      return { kind: 'archive', path: joined(where.archiveFolder, name), format: where.format };
    }
  }
}

/** `report.zip` becomes `report.tar`; a name with another ending keeps it. */
export function withFormat(name: string, format: ArchiveFormat): string {
  return name.replace(/\.(?:zip|tar)$/i, `.${format}`);
}
