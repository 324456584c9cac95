/** How a command reaches the host, which holds plans, destinations and runs: the running one, or else an own one. */
import process from 'node:process';
import { dataDirectory } from '../fs/platform.ts';
import type { Client } from '../transport/client.ts';
import type { CommandContext } from './context.ts';
import { homeOf } from './environment.ts';
import { text } from './options.ts';

export const hostOptions = {
  dataDir: text('--data-dir folder', 'where Holdfast keeps plans and settings (default: HOLDFAST_DATA_DIR)'),
};

/** The data folder that the flag, the variable or the platform's custom names. Absolute. */
export function dataFolder(
  context: Pick<CommandContext, 'env'>,
  flags: { readonly dataDir?: string | undefined },
): string {
  const { env } = context;
  const given = flags.dataDir === '' ? undefined : flags.dataDir;
  return dataDirectory({
    env: given === undefined ? env : { ...env, HOLDFAST_DATA_DIR: given },
    platform: process.platform,
    home: homeOf(env),
  });
}

export interface Reached {
  readonly client: Client;
  /** The host is this process's own and ends with the command. */
  readonly own: boolean;
}

/** Does `work` with the running host, else with an own one, and lets go of it afterwards. */
export async function withHost<T>(
  context: CommandContext,
  flags: { readonly dataDir?: string | undefined },
  work: (reached: Reached) => Promise<T>,
): Promise<T> {
  const dataDir = dataFolder(context, flags);
  const running = await context.hosting.connect(dataDir, context.signal);
  const handle = running ?? (await context.hosting.open({ dataDir, warn: context.print.problem }));
  try {
    return await work({ client: handle.client, own: running === undefined });
  } finally {
    await handle.close();
  }
}
