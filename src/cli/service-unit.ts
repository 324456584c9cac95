/** The systemd user unit that keeps `holdfast serve` running. Format: systemd.service(5), systemd.syntax(7). */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { EngineError } from '../api/errors.ts';
import { type Environment, homeOf } from './environment.ts';

export const UNIT = 'holdfast.service';
/** Tells our unit from one that somebody wrote by hand. */
export const MARK = '# Made by `holdfast service install`, which will make it anew.';

export interface UnitParts {
  /** Absolute paths of Node and of the program's file. */
  readonly node: string;
  readonly program: string;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
}

export function unitText({ node, program, dataDir, host, port }: UnitParts): string {
  const command = [node, program, 'serve', '--data-dir', dataDir, '--host', host, '--port', String(port)];
  return `${MARK}
[Unit]
Description=Holdfast backups

[Service]
ExecStart=${command.map(unitWord).join(' ')}
Restart=on-failure
RestartSec=30
# What is being written when it is stopped gets time to be finished.
TimeoutStopSec=300
KillMode=mixed

[Install]
WantedBy=default.target
`;
}

/** A word of ExecStart: specifiers, variables and quotes lose their meaning. Error: 'usage' for a line break. */
export function unitWord(word: string): string {
  if (/[\n\r\0]/.test(word))
    throw new EngineError('usage', 'A path with a line break can be no part of a unit.');
  const plain = word.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[\w%$./:@=+,-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** Where systemd looks for a person's units. */
export function unitPath(env: Environment): string {
  const { XDG_CONFIG_HOME: xdg } = env;
  const config = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homeOf(env), '.config');
  return path.join(config, 'systemd', 'user', UNIT);
}

/** The files that this very process runs from. */
export async function programFiles(): Promise<Pick<UnitParts, 'node' | 'program'>> {
  const { execPath, argv } = process;
  return { node: execPath, program: await realpath(argv[1] ?? '') };
}

export interface SystemctlResult {
  readonly code: number;
  readonly output: string;
}

/** `systemctl --user …`; undefined where there is no such program. */
export function systemctl(
  args: readonly string[],
  o: { readonly env: Environment; readonly signal: AbortSignal },
): Promise<SystemctlResult | undefined> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...o.env }, signal: o.signal, encoding: 'utf8' } as const;
    execFile('systemctl', ['--user', ...args], options, (e, stdout, stderr) => {
      if (o.signal.aborted) reject(o.signal.reason);
      else if (e?.code === 'ENOENT') resolve(undefined);
      else
        resolve({
          code: e === null ? 0 : typeof e.code === 'number' ? e.code : 1,
          output: `${stdout}${stderr}`.trim(),
        });
    });
  });
}

export function noSystemd(): EngineError {
  return new EngineError('unsupported', 'This system has no systemd that could keep Holdfast running.', {
    hint: 'Let what starts programs here run `holdfast serve`; `holdfast service install --print` shows the whole command.',
  });
}
