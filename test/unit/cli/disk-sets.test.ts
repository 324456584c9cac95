import { describe, expect, it } from 'vitest';
import type { KnownDisk } from '../../../src/api/model/destination.ts';
import { destinationOf } from '../../helpers/host-values.ts';
import { program } from './host-program.ts';

const disk = (uuid: string, label: string | null, mountPoint: string | null): KnownDisk => ({
  uuid,
  label,
  capacity: 2e9,
  folder: 'Holdfast',
  repositoryId: 'a'.repeat(64),
  lastSeenAt: 0,
  mountPoint,
});
const set = destinationOf({
  name: 'Rotating',
  location: '/media/one/Holdfast',
  disks: [disk('1a2b-3c4d', 'MONDAY', '/media/one'), disk('1a2b-9999', null, null)],
});
const here = () => program({ destinations: [set] });
const inputs = (p: ReturnType<typeof program>, name: string) =>
  p.host.calls.filter((call) => call.name === name).map(({ input }) => input);

describe('a destination of several disks', () => {
  it('shows which disk is plugged in', async () => {
    const p = here();
    expect(await p.run('destination', 'disks', 'Rotating')).toBe(0);
    expect(p.out()).toMatch(/MONDAY +1a2b-3c4d +\S+ \S+ +plugged in at \/media\/one/);
    expect(p.out()).toMatch(/1a2b-9999 +\S+ \S+ +not plugged in; last seen/);
    const json = here();
    await json.run('destination', 'disks', 'Rotating', '--json');
    expect(JSON.parse(json.out())).toEqual(set.disks);
  });

  it('takes a further disk in, by the whole path of a folder', async () => {
    const p = here();
    expect(await p.run('destination', 'add-disk', 'Rotating', '/media/../media/two')).toBe(0);
    expect(inputs(p, 'destinations.addDisk')).toEqual([{ id: set.id, path: '/media/two' }]);
    expect(p.out()).toContain('3 disks');
  });

  it.each(['MONDAY', '1A2B-3C4D', '1a2b-3'])('lets a disk go that is called %s', async (said) => {
    const p = here();
    expect(await p.run('destination', 'remove-disk', 'Rotating', said)).toBe(0);
    expect(inputs(p, 'destinations.removeDisk')).toEqual([{ id: set.id, uuid: '1a2b-3c4d' }]);
  });

  it.each([
    ['1a2b', 'more than one disk'],
    ['TUESDAY', 'has no disk'],
  ])('lets none go for %s', async (said, why) => {
    const p = here();
    expect(await p.run('destination', 'remove-disk', 'Rotating', said)).not.toBe(0);
    expect(p.err()).toContain(why);
    expect(inputs(p, 'destinations.removeDisk')).toEqual([]);
  });

  it('ejects the disk', async () => {
    const p = here();
    expect(await p.run('destination', 'eject', 'Rotating')).toBe(0);
    expect(inputs(p, 'destinations.eject')).toEqual([{ id: set.id }]);
    expect(p.out() + p.err()).toContain('can be unplugged now');
  });
});
