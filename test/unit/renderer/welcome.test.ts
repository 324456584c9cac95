import { describe, expect, it } from 'vitest';
import { nextTime } from '../../../renderer/screens/plan-wizard/draft.ts';
import {
  cautionsOf,
  diskOf,
  freeName,
  missingPlace,
  type PlaceState,
  placeOptions,
  planFrom,
} from '../../../renderer/screens/welcome/draft.ts';
import type { Disk, Suggestions } from '../../../src/api/model/computer.ts';
import { PlanInput } from '../../../src/api/model/plan.ts';
import { destinationOf } from '../../helpers/host-values.ts';

const disk = (path: string, free = 1000): Disk => ({
  path,
  device: `/dev/${path}`,
  name: path,
  total: 2000,
  free,
  attachment: 'removable',
  system: path === '/',
  uuid: null,
  destinationIds: [],
  planIds: [],
});
const suggestions = (...folders: readonly string[]): Suggestions => ({
  home: '/home/ann',
  sources: [],
  destinations: folders.map((folder) => ({ disk: disk(folder), folder: `${folder}/Holdfast` })),
});
const embedded = destinationOf({
  name: 'This computer',
  location: '/data/default-repository',
  embedded: true,
});

describe('the places that are offered', () => {
  it('are, best first: what was added, disks, the computer itself, another folder', () => {
    const nas = destinationOf({ name: 'NAS', location: '/nas', embedded: false });
    const options = placeOptions(suggestions('/media/usb'), [embedded, nas]);
    expect(options.map(({ key }) => key)).toEqual([nas.id, '/media/usb/Holdfast', embedded.id, 'other']);
  });

  it('leave out what can only be read, and a disk whose folder is a destination already', () => {
    const seen = destinationOf({
      name: 'Old',
      location: '/media/usb/Holdfast',
      embedded: false,
      readOnly: true,
    });
    expect(placeOptions(suggestions('/media/usb'), [seen]).map(({ key }) => key)).toEqual(['other']);
    expect(placeOptions(undefined, []).map(({ key }) => key)).toEqual(['other']);
  });
});

describe('cautions', () => {
  const other = { kind: 'other', key: 'other' } as const;
  const base = {
    option: other,
    location: '/media/usb/x',
    sources: ['/home/ann'],
    bytes: 10,
    free: 100,
    disks: [disk('/'), disk('/media/usb')],
  };

  it('are none for another disk with room', () => {
    expect(cautionsOf(base)).toEqual([]);
  });

  it('are said of the own disk, of places inside of a source, and of too little room', () => {
    expect(cautionsOf({ ...base, location: '/backups' })).toEqual(['welcome.caution.same-disk']);
    expect(cautionsOf({ ...base, location: '/home/ann/backups', disks: [] })).toEqual([
      'welcome.caution.within',
    ]);
    expect(cautionsOf({ ...base, bytes: 101 })).toEqual(['welcome.caution.room']);
    expect(cautionsOf({ ...base, bytes: undefined, free: 0 })).toEqual([]);
    const option = { kind: 'known', key: embedded.id, destination: embedded } as const;
    expect(cautionsOf({ ...base, option, location: embedded.location })).toEqual([
      'welcome.caution.embedded',
    ]);
  });

  it('know a disk by the nearest place where one is mounted', () => {
    const disks = [disk('/'), disk('/media/usb'), disk('/media')];
    expect(diskOf('/media/usb/x', disks)?.path).toBe('/media/usb');
    expect(diskOf('/media/usb2', disks)?.path).toBe('/media');
    expect(diskOf('/etc', disks)?.path).toBe('/');
    expect(diskOf('/etc', [])).toBeUndefined();
  });
});

describe('what is missing of a place', () => {
  const test = { repository: false, writable: true, space: null, facts: null, problem: null };
  const state: PlaceState = {
    location: '/x',
    isTesting: false,
    test,
    opening: undefined,
    failed: false,
    password: '',
  };

  it('is nothing for what is known already, and for an empty folder that works', () => {
    expect(missingPlace({ ...state, location: undefined, test: undefined })).toBeUndefined();
    expect(missingPlace(state)).toBeUndefined();
  });

  it('is said in the order in which it can be mended', () => {
    expect(missingPlace({ ...state, location: '' })).toBe('welcome.where.no-path');
    expect(missingPlace({ ...state, location: 'x' })).toBe('add.location.relative');
    expect(missingPlace({ ...state, isTesting: true })).toBe('welcome.where.testing');
    expect(missingPlace({ ...state, test: { ...test, writable: false } })).toBe('welcome.where.unusable');
    expect(missingPlace({ ...state, failed: true })).toBe('welcome.where.unusable');
    const there = { ...state, test: { ...test, repository: true } };
    expect(missingPlace(there)).toBe('add.password.missing');
    const problem = { code: 'wrong-password' as const, message: 'No.', transient: false };
    const opening = { ...test, repository: true, problem };
    expect(missingPlace({ ...there, password: 'x', opening })).toBe('welcome.where.not-opened');
    expect(missingPlace({ ...there, password: 'x', opening: { ...opening, problem: null } })).toBeUndefined();
  });
});

describe('what comes out', () => {
  it('is a plan that the host takes, with a name that is free', () => {
    const name = freeName('My files', ['My files', 'My files 2']);
    const plan = planFrom({ name, sources: ['/home/ann'], destinationId: embedded.id, rhythm: 'daily' });
    expect(PlanInput.parse(plan)).toMatchObject({
      name: 'My files 3',
      sources: [{ kind: 'path', path: '/home/ann' }],
      schedule: { when: { kind: 'daily', at: ['12:30'] }, catchUp: true },
    });
  });

  it('has another time of day where one more is asked for', () => {
    expect(nextTime(['12:30'])).toBe('17:30');
    expect(nextTime(['17:30', '12:30'])).toBe('18:30');
    expect(nextTime(['21:05'])).toBe('02:05');
  });
});
