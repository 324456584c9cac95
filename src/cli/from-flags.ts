/** The flags that name a second repository, from which `copy` and `init` take something. */
import type { Environment } from './environment.ts';
import { type Access, resolveAccess } from './globals.ts';
import { flag, text } from './options.ts';

export const fromOptions = {
  fromRepo: text('--from-repo repository', 'the other repository'),
  fromRepositoryFile: text('--from-repository-file file', 'file that holds where the other repository is'),
  fromPasswordFile: text('--from-password-file file', 'file that holds the password of the other repository'),
  fromPasswordCommand: text(
    '--from-password-command command',
    'command whose output is the password of the other repository',
  ),
  fromKeyHint: text('--from-key-hint id', 'key of the other repository to try first'),
  fromInsecureNoPassword: flag(
    '--from-insecure-no-password',
    'the other repository has an empty password (insecure)',
  ),
};

export interface FromFlags {
  readonly fromRepo: string | undefined;
  readonly fromRepositoryFile: string | undefined;
  readonly fromPasswordFile: string | undefined;
  readonly fromPasswordCommand: string | undefined;
  readonly fromKeyHint: string | undefined;
  readonly fromInsecureNoPassword: boolean;
}

/** What these flags and the variables `*_FROM_*` say. Error: 'usage'. */
export function resolveFromAccess(flags: FromFlags, env: Environment): Access {
  return resolveAccess(
    {
      repo: flags.fromRepo,
      repositoryFile: flags.fromRepositoryFile,
      passwordFile: flags.fromPasswordFile,
      passwordCommand: flags.fromPasswordCommand,
      keyHint: flags.fromKeyHint,
      insecureNoPassword: flags.fromInsecureNoPassword,
    },
    env,
    'FROM_',
  );
}

/** Neither a flag nor a variable names one. */
export function namesNone(access: Access): boolean {
  return access.repo === undefined && access.repositoryFile === undefined;
}
