/** Unmounts disks, so that they can be unplugged. Commands: udisksctl(1), umount(8), diskutil(8), the Shell of Windows. */
import { EngineError, type ErrorCode } from '../api/errors.ts';
import type { Mount } from './disk-identity.ts';
import type { RunTool, ToolAnswer } from './disk-identity-tool.ts';

export interface EjectPorts {
  readonly platform: NodeJS.Platform;
  readonly tool: RunTool;
}

/** What a slow stick has not written yet is written first. */
const UNMOUNT_MS = 2 * 60_000;
const POWER_OFF_MS = 20_000;

/**
 * `mounts`: all places where one disk is mounted. `name` for the sentences: “My Passport”. Errors: 'locked' where a program uses it,
 * 'permission', 'unsupported' where nothing here can do it, 'timeout', 'io'.
 */
export async function ejectDisk(p: EjectPorts, mounts: readonly Mount[], name: string): Promise<void> {
  const [one] = mounts;
  if (!one) return;
  if (p.platform === 'linux') return ejectOnLinux(p, mounts, name);
  if (p.platform === 'darwin') return must(await p.tool('diskutil', ['eject', one.node], UNMOUNT_MS), name);
  return must(await p.tool('powershell.exe', [...POWERSHELL, shellEject(one.node)], UNMOUNT_MS), name);
}

/** The inner ones first. A plain user may unmount what udisks has mounted, and only through it. */
async function ejectOnLinux({ tool }: EjectPorts, mounts: readonly Mount[], name: string): Promise<void> {
  const inner = [...mounts].sort((a, b) => b.path.length - a.path.length);
  for (const { node, path } of inner) {
    const byUdisks = await tool('udisksctl', ['unmount', '--no-user-interaction', '-b', node], UNMOUNT_MS);
    if (byUdisks.end === 'well') continue;
    if (failureOf(byUdisks) === 'locked') throw refused(byUdisks, name);
    must(await tool('umount', ['--', path], UNMOUNT_MS), name);
  }
  // A courtesy to disks that turn. Not every one can be switched off, nor where another part of it is still in use.
  await tool('udisksctl', ['power-off', '--no-user-interaction', '-b', inner[0]!.node], POWER_OFF_MS);
}

const POWERSHELL = ['-NoProfile', '-NonInteractive', '-Command'];

/** The Shell says nothing of how it went: the drive is looked for until it is gone. `node`: 'E:'. */
function shellEject(node: string): string {
  const letter = node.slice(0, 2);
  return (
    `(New-Object -ComObject Shell.Application).Namespace(17).ParseName('${letter}').InvokeVerb('Eject');` +
    `foreach($i in 1..20){if(-not(Test-Path '${letter}\\')){exit 0};Start-Sleep -Milliseconds 500};` +
    `[Console]::Error.WriteLine('in use');exit 1`
  );
}

function must(answer: ToolAnswer, name: string): void {
  if (answer.end !== 'well') throw refused(answer, name);
}

function failureOf({ end, stderr, stdout }: ToolAnswer): ErrorCode {
  const said = `${stderr}\n${stdout}`;
  if (end === 'missing') return 'unsupported';
  if (end === 'late') return 'timeout';
  if (/busy|in use|dissent|could not be unmounted/i.test(said)) return 'locked';
  return /permi(ssion|tted)|authori[sz]ed|superuser/i.test(said) ? 'permission' : 'io';
}

const REASONS: Readonly<Partial<Record<ErrorCode, readonly [why: string, hint: string]>>> = {
  unsupported: ['this system has no program for that', 'Eject it as you usually do.'],
  timeout: ['it takes too long', 'It may still be writing. Wait a while, then try again.'],
  locked: [
    'a program is using it',
    'Close what has files or folders of the disk open, and windows that show them, then try again.',
  ],
  permission: ['the system does not allow Holdfast to', 'Eject it as you usually do.'],
};

function refused(answer: ToolAnswer, name: string): EngineError {
  const code = failureOf(answer);
  const said = answer.stderr.trim().split('\n', 1)[0] ?? '';
  const [why, hint] = REASONS[code] ?? [
    said || 'the system refuses',
    'Try again, or eject it as you usually do.',
  ];
  return new EngineError(code, `The disk ${name} can't be ejected: ${why}.`, { hint, context: { said } });
}
