/** The flags of an alert channel, and what they make of it. */
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { ALERT_KINDS, ChannelInput, type Target } from '../api/model/alert.ts';
import type { CommandContext } from './context.ts';
import { choice, list, parseChoice, text, type ValuesOf, value, values } from './options.ts';
import { readPassword } from './password.ts';
import { printable } from './text-width.ts';

const secretOption = {
  secretFile: text('--secret-file file', 'file that holds the password or access token'),
};

const onOption = {
  on: values(
    '--on kinds',
    `what it tells of, separated by commas: ${ALERT_KINDS.join(', ')} (default: all but run-succeeded)`,
    (given) => given.split(',').map((kind) => parseChoice(kind, ALERT_KINDS)),
  ),
};

export const channelOptions = { ...secretOption, ...onOption };
export const desktopOptions = onOption;
export const monitorOptions = {
  ...secretOption,
  plan: text('--plan plan', 'tell of this plan only (default: of all)'),
};
export const emailOptions = {
  server: value(
    '--server host[:port]',
    'SMTP server (default port: 587, or what --security uses)',
    parseServer,
  ),
  security: choice('--security how', 'tls (port 465), starttls or none', ['tls', 'starttls', 'none']),
  user: text('--user name', 'user name at the server; without one nobody signs in'),
  from: text('--from address', 'address of the sender'),
  to: list('--to address', 'address of a recipient (can be given several times)'),
  ...channelOptions,
};

/** A host and its port, if one is given: `smtp.example.org:465`, `[::1]:25`. Error: 'usage'. */
function parseServer(given: string): { readonly host: string; readonly port: number | undefined } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i.exec(given);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) {
    throw new EngineError('usage', `"${given}" is not a server`, {
      hint: 'Write its name and, after a colon, its port, such as smtp.example.org:587.',
    });
  }
  return { host, port: match?.[3] === undefined ? undefined : Number(match[3]) };
}

/** By the way of encryption, where no other is said. */
export const SMTP_PORTS = { tls: 465, starttls: 587, none: 25 } as const;

/** Encrypted unless it is said otherwise. Error: 'usage' for what is missing. */
export function emailTarget(flags: ValuesOf<typeof emailOptions>): Target {
  const { server, from, to, user } = flags;
  if (server === undefined || from === undefined || to.length === 0) {
    throw new EngineError('usage', 'An e-mail channel needs --server, --from and --to.', {
      hint: 'Such as: --server smtp.example.org --user ann --from ann@example.org --to ann@example.org',
    });
  }
  const security = flags.security ?? (server.port === SMTP_PORTS.tls ? 'tls' : 'starttls');
  const port = server.port ?? SMTP_PORTS[security];
  return { kind: 'email', host: server.host, port, security, user: user ?? null, from, to: [...to] };
}

/** The address as it was given. Error: 'usage' where a part of it would be a secret that everybody sees. */
export function channelAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new EngineError('usage', 'The address has to begin with https:// or http://.');
  }
  if (url.username === '' && url.password === '') return given;
  throw new EngineError('usage', 'The address holds a user name or a password.', {
    hint: 'Take it out, and give the access token with --secret-file.',
  });
}

export interface ChannelParts {
  readonly name: string;
  readonly target: Target;
  readonly on?: z.output<typeof ChannelInput>['on'];
}

/** A whole channel, without its secret. Error: 'usage' with what is wrong. */
export function channelOf({ name, target, on = [] }: ChannelParts): z.output<typeof ChannelInput> {
  const result = ChannelInput.safeParse({
    name,
    target,
    ...(on.length === 0 ? {} : { on: [...new Set(on)] }),
  });
  if (result.success) return result.data;
  const why = z.prettifyError(result.error).replace(/^✖ /gm, '');
  throw new EngineError('usage', `The channel can't be like this: ${why}`);
}

/**
 * The password or token: from the file, or typed unseen; undefined for none. Only who signs in by name must have one.
 * Errors: 'usage', 'cancelled'.
 */
export async function readChannelSecret(
  { terminal, signal }: CommandContext,
  { target, name }: Pick<ChannelParts, 'target' | 'name'>,
  file: string | undefined,
): Promise<string | undefined> {
  const access = { password: undefined, passwordCommand: undefined, insecureNoPassword: false };
  if (file !== undefined) return readPassword({ ...access, passwordFile: file }, { terminal, signal });
  if (target.kind === 'desktop' || (target.kind === 'email' && target.user === null)) return undefined;
  const needed = target.kind === 'email';
  if (!needed && !terminal.isInteractive) return undefined;
  const prompt = needed
    ? `Password of ${printable(target.user ?? '')} at ${printable(target.host)}: `
    : `Access token for ${printable(name)}, or nothing where it needs none: `;
  const typed = await terminal.input.readSecret(prompt, signal);
  signal.throwIfAborted();
  if (typed !== undefined && typed !== '') return typed;
  if (!needed) return undefined;
  throw new EngineError('usage', 'No password was given.', { hint: 'Give it with --secret-file.' });
}
