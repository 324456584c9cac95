/** What `alerts edit` makes of a channel that is there. */
import { EngineError } from '../api/errors.ts';
import type { Channel, Target } from '../api/model/alert.ts';
import { channelAddress, emailOptions, SMTP_PORTS } from './channel-flags.ts';
import { flag, text, type ValuesOf } from './options.ts';

export const editOptions = {
  name: text('--name name', 'a new name'),
  address: text('--address address', 'a new address of a webhook, a topic or a monitor'),
  plan: text('--plan plan', "a monitor's plan; an empty one: of all"),
  ...emailOptions,
  secretFile: text('--secret-file file', 'file that holds another password or token; an empty name: none'),
  disable: flag('--disable', 'keep the channel, but tell nothing by it'),
};

export type EditFlags = ValuesOf<typeof editOptions>;
type Flag = keyof typeof editOptions;
type Email = Extract<Target, { kind: 'email' }>;

const FLAGS = Object.keys(editOptions) as Flag[];
const COMMON: readonly Flag[] = ['name', 'disable'];
const MEANT_FOR: Readonly<Record<Target['kind'], readonly Flag[]>> = {
  desktop: ['on'],
  email: ['on', 'secretFile', 'server', 'security', 'user', 'from', 'to'],
  webhook: ['on', 'secretFile', 'address'],
  ntfy: ['on', 'secretFile', 'address'],
  monitor: ['secretFile', 'address', 'plan'],
};

const WORDS: Readonly<Partial<Record<Flag, string>>> = { secretFile: 'secret-file' };

/** Errors: 'usage' where nothing is given, or something that a channel of this kind does not have. */
export function refuseStrayFlags({ target }: Channel, given: ReadonlySet<string>): void {
  const said = FLAGS.filter((name) => given.has(name));
  if (said.length === 0) {
    throw new EngineError('usage', 'Nothing is given that would change the channel.', {
      hint: '`holdfast help alerts edit` lists what can be changed.',
    });
  }
  const stray = said.find((name) => !COMMON.includes(name) && !MEANT_FOR[target.kind].includes(name));
  if (stray === undefined) return;
  const flags = [...MEANT_FOR[target.kind], ...COMMON].map((name) => `--${WORDS[name] ?? name}`).join(', ');
  throw new EngineError('usage', `A channel of the kind ${target.kind} has no --${WORDS[stray] ?? stray}.`, {
    hint: `What can be changed: ${flags}.`,
  });
}

/** `planId` undefined: it stays. Error: 'usage' for an address that is none. */
export function changedTarget(before: Target, flags: EditFlags, planId?: string | null): Target {
  switch (before.kind) {
    case 'desktop':
      return before;
    case 'email':
      return changedEmail(before, flags);
    case 'monitor': {
      const url = flags.address === undefined ? before.url : channelAddress(flags.address);
      return { ...before, url, planId: planId === undefined ? before.planId : planId };
    }
    default:
      return flags.address === undefined ? before : { ...before, url: channelAddress(flags.address) };
  }
}

function changedEmail(before: Email, { server, security, user, from, to }: EditFlags): Email {
  const how = security ?? (server?.port === SMTP_PORTS.tls ? 'tls' : before.security);
  return {
    ...before,
    host: server?.host ?? before.host,
    port: server?.port ?? usualPort(before, how, server !== undefined),
    security: how,
    user: user === undefined ? before.user : user || null,
    from: from ?? before.from,
    to: to.length === 0 ? before.to : [...to],
  };
}

/** A port that nobody chose goes with the way of encryption. */
function usualPort(before: Email, security: Email['security'], otherServer: boolean): number {
  const chosen = before.port !== SMTP_PORTS[before.security];
  return chosen && !otherServer ? before.port : SMTP_PORTS[security];
}

/** Whether what is secret would from now on go to somebody else. */
export function goesElsewhere(before: Target, after: Target): boolean {
  return hostOf(before) !== hostOf(after);
}

function hostOf(target: Target): string {
  if (target.kind === 'desktop') return '';
  return target.kind === 'email' ? target.host : new URL(target.url).host;
}
