/**
 * What the welcome wizard asks, and what it proposes.
 *
 * option   a place where backups can go: a destination that there is, a disk, the computer itself, or another folder
 * rhythm   how often, in one word
 */
import type { Disk, Suggestions } from '../../../src/api/model/computer.ts';
import type { ConnectionTest, Destination } from '../../../src/api/model/destination.ts';
import type { PlanSettings, Recurrence } from '../../../src/api/model/plan.ts';
import { isUsable } from '../../components/connection.ts';
import { isAbsolute, isWithin } from '../../components/paths.ts';
import type { MessageKey } from '../../i18n/en.ts';
import { defaultWhen, newDraft } from '../plan-wizard/draft.ts';

export const RHYTHMS = [
  'hourly',
  'daily',
  'weekly',
  'manual',
] as const satisfies readonly Recurrence['kind'][];
export type Rhythm = (typeof RHYTHMS)[number];

export interface WelcomeDraft {
  /** undefined: those that are suggested. */
  readonly sources: readonly string[] | undefined;
  /** An option's key; undefined: the best one. */
  readonly place: string | undefined;
  readonly otherPath: string;
  /** Of a repository that is at the place already. */
  readonly password: string;
  readonly rhythm: Rhythm;
}

export const EMPTY: WelcomeDraft = {
  sources: undefined,
  place: undefined,
  otherPath: '',
  password: '',
  // Once a day at lunch time, when most computers are on and few are busy; a start that is missed is made up for.
  rhythm: 'daily',
};

export type PlaceOption =
  | { readonly kind: 'known'; readonly key: string; readonly destination: Destination }
  | { readonly kind: 'disk'; readonly key: string; readonly disk: Disk; readonly folder: string }
  | { readonly kind: 'other'; readonly key: 'other' };

/** Best first: what the person has added, then disks, then the computer itself, then what nobody could know of. */
export function placeOptions(
  suggestions: Suggestions | undefined,
  destinations: readonly Destination[],
): readonly PlaceOption[] {
  const usable = destinations.filter((one) => !one.readOnly);
  const known = (embedded: boolean): readonly PlaceOption[] =>
    usable
      .filter((one) => one.embedded === embedded)
      .map((destination) => ({ kind: 'known', key: destination.id, destination }));
  const taken = new Set(destinations.map(({ location }) => location));
  const disks = (suggestions?.destinations ?? []).filter(({ folder }) => !taken.has(folder));
  return [
    ...known(false),
    ...disks.map(({ disk, folder }) => ({ kind: 'disk', key: folder, disk, folder }) as const),
    ...known(true),
    { kind: 'other', key: 'other' },
  ];
}

/** Where a new repository would be made; undefined where none would. */
export function newLocation(option: PlaceOption, otherPath: string): string | undefined {
  if (option.kind === 'known') return undefined;
  return option.kind === 'disk' ? option.folder : otherPath.trim();
}

/** Bytes that are free there; undefined: nobody knows. */
export function freeAt(option: PlaceOption, test: ConnectionTest | undefined): number | undefined {
  if (option.kind === 'known') return option.destination.space?.free;
  return option.kind === 'disk' ? option.disk.free : test?.space?.free;
}

/** What is worth to be said of a choice, without standing in its way. */
export type Caution = Extract<MessageKey, `welcome.caution.${string}`>;

export function cautionsOf(choice: {
  readonly option: PlaceOption;
  readonly location: string;
  readonly sources: readonly string[];
  readonly bytes: number | undefined;
  readonly free: number | undefined;
  readonly disks: readonly Disk[];
}): readonly Caution[] {
  const { option, location, sources, bytes, free } = choice;
  const embedded = option.kind === 'known' && option.destination.embedded;
  return [
    ...(embedded ? (['welcome.caution.embedded'] as const) : []),
    ...(!embedded && isOnDiskOf(location, sources, choice.disks)
      ? (['welcome.caution.same-disk'] as const)
      : []),
    ...(sources.some((source) => isWithin(location, source)) ? (['welcome.caution.within'] as const) : []),
    ...(bytes !== undefined && free !== undefined && bytes > free ? (['welcome.caution.room'] as const) : []),
  ];
}

function isOnDiskOf(location: string, sources: readonly string[], disks: readonly Disk[]): boolean {
  const at = diskOf(location, disks);
  return at !== undefined && sources.some((source) => diskOf(source, disks) === at);
}

/** The disk that a path lies on: the one that is mounted nearest above it. */
export function diskOf(path: string, disks: readonly Disk[]): Disk | undefined {
  return disks
    .filter((disk) => isWithin(path, disk.path))
    .reduce<Disk | undefined>((nearest, disk) => {
      return nearest && nearest.path.length >= disk.path.length ? nearest : disk;
    }, undefined);
}

export interface PlaceState {
  readonly location: string | undefined;
  readonly isTesting: boolean;
  readonly test: ConnectionTest | undefined;
  /** What the given password does at the repository that is there. */
  readonly opening: ConnectionTest | undefined;
  readonly failed: boolean;
  readonly password: string;
}

/** Why it can't go on with this place; undefined: it can. */
export function missingPlace(state: PlaceState): MessageKey | undefined {
  const { location, test, opening, password } = state;
  if (location === undefined) return undefined;
  if (location === '') return 'welcome.where.no-path';
  if (!isAbsolute(location)) return 'add.location.relative';
  if (state.isTesting) return 'welcome.where.testing';
  if (state.failed || !test || !isUsable(test)) return 'welcome.where.unusable';
  if (!test.repository) return undefined;
  if (password === '') return 'add.password.missing';
  return opening?.problem ? 'welcome.where.not-opened' : undefined;
}

/** The plan that comes out of it. */
export function planFrom(o: {
  readonly name: string;
  readonly sources: readonly string[];
  readonly destinationId: string;
  readonly rhythm: Rhythm;
}): PlanSettings {
  const { input } = newDraft(o.name);
  return {
    ...input,
    sources: o.sources.map((path) => ({ kind: 'path', path })),
    destinations: [o.destinationId],
    schedule: { ...input.schedule, when: defaultWhen(o.rhythm) },
  };
}

/** A name that is not taken yet: "My files", "My files 2" … */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let i = 2; taken.includes(name); i++) name = `${wanted} ${i}`;
  return name;
}
