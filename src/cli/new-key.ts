/** The flags of a new password, and who the new key says it belongs to. */
import { EngineError } from '../api/errors.ts';
import { identity } from '../fs/platform.ts';
import type { CommandContext } from './context.ts';
import { flag, text, type ValuesOf } from './options.ts';

export const newKeyOptions = {
  newPasswordFile: text('--new-password-file file', 'file that holds the new password'),
  newInsecureNoPassword: flag(
    '--new-insecure-no-password',
    'let the new key have an empty password (insecure)',
  ),
  user: text('--user name', 'user name that the new key shall bear', ''),
  host: text('--host name', 'host name that the new key shall bear', ''),
};

export type NewKeyFlags = ValuesOf<typeof newKeyOptions>;

/** Asked for at the terminal, twice, unless a flag says where it is. Errors: 'usage', 'cancelled'. */
export async function readNewKeyPassword(context: CommandContext, flags: NewKeyFlags): Promise<string> {
  const { newPasswordFile: passwordFile, newInsecureNoPassword: insecureNoPassword } = flags;
  if (insecureNoPassword && passwordFile !== undefined) {
    throw new EngineError('usage', 'Give either --new-password-file or --new-insecure-no-password.');
  }
  const nothing = { repo: undefined, repositoryFile: undefined, password: undefined, keyHint: undefined };
  const access = { ...nothing, passwordCommand: undefined, passwordFile, insecureNoPassword };
  return context.newPassword(access, 'the new key');
}

export function newKeyIdentity(flags: NewKeyFlags): { readonly username: string; readonly hostname: string } {
  const { username, hostname } = identity();
  return { username: flags.user || username, hostname: flags.host || hostname };
}
