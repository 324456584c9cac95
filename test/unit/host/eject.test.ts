import { describe, expect, it } from 'vitest';
import type { Mount } from '../../../src/host/disk-identity.ts';
import type { RunTool, ToolAnswer } from '../../../src/host/disk-identity-tool.ts';
import { ejectDisk } from '../../../src/host/eject.ts';

const mountOf = (path: string, node = '/dev/sdb1'): Mount => ({
  path,
  node,
  part: '',
  uuid: 'u',
  label: 'A',
  device: '8:17',
});
const well: ToolAnswer = { end: 'well', stdout: '', stderr: '' };
const missing: ToolAnswer = { ...well, end: 'missing' };
const failed = (stderr: string): ToolAnswer => ({ end: 'failed', stdout: '', stderr });

/** Tools by name, or by name and first argument; what is not named is missing. */
function system(platform: NodeJS.Platform, answers: Readonly<Record<string, ToolAnswer>>) {
  const asked: string[] = [];
  const tool: RunTool = async (program, args) => {
    asked.push([program, ...args].join(' '));
    return answers[`${program} ${args[0]}`] ?? answers[program] ?? missing;
  };
  const eject = (...mounts: Mount[]) => ejectDisk({ platform, tool }, mounts, '“A”');
  return { eject, asked };
}

describe('a disk is ejected', () => {
  it('by udisks where there is one, all of its mounts, the inner ones first, and switched off', async () => {
    const { eject, asked } = system('linux', { udisksctl: well });
    await eject(mountOf('/media/A'), mountOf('/media/A/inner'), mountOf('/b'));
    expect(asked.map((line) => line.replace('--no-user-interaction ', ''))).toEqual([
      ...Array<string>(3).fill('udisksctl unmount -b /dev/sdb1'),
      'udisksctl power-off -b /dev/sdb1',
    ]);
  });

  it('by umount where udisks is missing or does not know it; that it can’t be switched off does not matter', async () => {
    const none = system('linux', { umount: well });
    await none.eject(mountOf('/media/A'), mountOf('/media/A/inner'));
    expect(none.asked.filter((line) => line.startsWith('umount'))).toEqual([
      'umount -- /media/A/inner',
      'umount -- /media/A',
    ]);
    const strange = system('linux', {
      udisksctl: failed('Object is not a mountable filesystem.'),
      umount: well,
    });
    await strange.eject(mountOf('/media/A'));
    expect(strange.asked).toContain('umount -- /media/A');
  });

  it('by diskutil, and by the Shell of Windows', async () => {
    const mac = system('darwin', { diskutil: well });
    await mac.eject(mountOf('/Volumes/A', '/dev/disk5s1'));
    expect(mac.asked).toEqual(['diskutil eject /dev/disk5s1']);
    const windows = system('win32', { 'powershell.exe': well });
    await windows.eject(mountOf('E:\\', 'E:'));
    expect(windows.asked[0]).toContain("ParseName('E:').InvokeVerb('Eject')");
  });

  it('not at all where it is mounted nowhere', async () => {
    const { eject, asked } = system('linux', {});
    await eject();
    expect(asked).toEqual([]);
  });
});

describe('a disk that can’t be ejected', () => {
  it.each([
    ['is in use', failed('umount: /media/A: target is busy.'), 'locked'],
    ['is in use, udisks says', undefined, 'locked'],
    ['is the administrator’s', failed('umount: /media/A: must be superuser to unmount.'), 'permission'],
    ['is still being written', { ...well, end: 'late' } as const, 'timeout'],
    ['has a fault', failed('umount: /media/A: input/output error'), 'io'],
    ['is on a system without such programs', missing, 'unsupported'],
  ])('%s', async (_, umount, code) => {
    const busy = failed('Error unmounting /dev/sdb1: target is busy');
    const { eject, asked } = system('linux', umount ? { umount } : { udisksctl: busy });
    await expect(eject(mountOf('/media/A'))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^The disk “A” can't be ejected: /),
      hint: expect.any(String),
    });
    expect(asked.filter((line) => line.includes('power-off'))).toEqual([]);
  });

  it('is used by a program on the other systems, too', async () => {
    const mac = system('darwin', {
      diskutil: failed('Volume A on disk5s1 failed to unmount: dissented by PID 7'),
    });
    await expect(mac.eject(mountOf('/Volumes/A'))).rejects.toMatchObject({ code: 'locked' });
    const windows = system('win32', { 'powershell.exe': failed('in use') });
    await expect(windows.eject(mountOf('E:\\', 'E:'))).rejects.toMatchObject({ code: 'locked' });
  });
});
