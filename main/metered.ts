/** Whether the network in use is paid for by volume. Electron does not know; the systems' own services do. */
import { execFile } from 'node:child_process';

/** Runs a program without a shell and returns what it prints. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<string>;

const NETWORK_MANAGER = [
  '--system',
  'get-property',
  'org.freedesktop.NetworkManager',
  '/org/freedesktop/NetworkManager',
  'org.freedesktop.NetworkManager',
  'Metered',
] as const;

const CONNECTION_COST = `$null = [Windows.Networking.Connectivity.NetworkInformation, Windows.Networking.Connectivity, ContentType=WindowsRuntime]
[Windows.Networking.Connectivity.NetworkInformation]::GetInternetConnectionProfile().GetConnectionCost().NetworkCostType`;

/** null where the system does not say; macOS has no program that does. */
export async function isMetered(platform: NodeJS.Platform, run: RunProgram): Promise<boolean | null> {
  if (platform === 'linux') return fromNetworkManager(await run('busctl', NETWORK_MANAGER));
  if (platform !== 'win32') return null;
  return fromWindows(
    await run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', CONNECTION_COST]),
  );
}

/** NMMetered: 0 unknown, 1 yes, 2 no, 3 probably, 4 probably not. */
function fromNetworkManager(output: string): boolean | null {
  const value = /^u (\d)$/.exec(output.trim())?.[1];
  if (value === '1' || value === '3') return true;
  return value === '2' || value === '4' ? false : null;
}

/** NetworkCostType: Unknown, Unrestricted, Fixed (a volume is included), Variable (by volume). */
function fromWindows(output: string): boolean | null {
  const value = output.trim();
  if (value === 'Fixed' || value === 'Variable') return true;
  return value === 'Unrestricted' ? false : null;
}

/** For the real system. Gives up after 10 seconds. */
export const runProgram: RunProgram = (program, args) =>
  new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 10_000, windowsHide: true }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
