/** A channel while it is being typed: texts as they stand in the fields, made into what the host takes. */
import {
  ALERT_KINDS,
  type AlertKind,
  type Channel,
  ChannelInput,
  type Target,
} from '../../../src/api/model/alert.ts';
import type { MessageKey } from '../../i18n/en.ts';

export const CHANNEL_KINDS = [
  'email',
  'ntfy',
  'webhook',
  'monitor',
  'desktop',
] as const satisfies readonly Target['kind'][];
export type ChannelKind = (typeof CHANNEL_KINDS)[number];
export type MailSecurity = Extract<Target, { readonly kind: 'email' }>['security'];

/** The usual port of each way to send. */
export const PORTS: Readonly<Record<MailSecurity, number>> = { tls: 465, starttls: 587, none: 25 };

export interface ChannelDraft {
  readonly kind: ChannelKind;
  readonly name: string;
  readonly enabled: boolean;
  readonly on: readonly AlertKind[];
  readonly host: string;
  readonly port: string;
  readonly security: MailSecurity;
  readonly user: string;
  readonly from: string;
  /** Separated by commas, semicolons or spaces. */
  readonly to: string;
  readonly url: string;
  /** '' for all plans. */
  readonly planId: string;
  /** undefined: it stays as it is; '' takes it away. */
  readonly secret: string | undefined;
}

export function newDraft(kind: ChannelKind, name: string): ChannelDraft {
  return {
    kind,
    name,
    enabled: true,
    on: ALERT_KINDS.filter((one) => one !== 'run-succeeded'),
    host: '',
    port: String(PORTS.tls),
    security: 'tls',
    user: '',
    from: '',
    to: '',
    url: kind === 'ntfy' ? 'https://ntfy.sh/' : '',
    planId: '',
    secret: '',
  };
}

export function draftOf(channel: Channel): ChannelDraft {
  const { target, name, enabled, on } = channel;
  const empty = { ...newDraft(target.kind, name), enabled, on, secret: undefined };
  switch (target.kind) {
    case 'desktop':
      return empty;
    case 'email':
      return {
        ...empty,
        host: target.host,
        port: String(target.port),
        security: target.security,
        user: target.user ?? '',
        from: target.from,
        to: target.to.join(', '),
      };
    case 'webhook':
    case 'ntfy':
      return { ...empty, url: target.url };
    case 'monitor':
      return { ...empty, url: target.url, planId: target.planId ?? '' };
  }
}

export type Field = 'name' | 'host' | 'port' | 'from' | 'to' | 'url' | 'on';

/** The first thing that keeps it from being saved, and the sentence for it; undefined: nothing does. */
export function missingOf(
  draft: ChannelDraft,
): { readonly field: Field; readonly key: MessageKey } | undefined {
  const checked = ChannelInput.safeParse(inputOf(draft));
  if (checked.success) {
    const silent = draft.kind !== 'monitor' && draft.on.length === 0;
    return silent ? { field: 'on', key: 'channel.missing.on' } : undefined;
  }
  const field = fieldOf(checked.error.issues[0]?.path.map(String) ?? []);
  return { field, key: `channel.missing.${field}` };
}

const FIELDS: readonly Field[] = ['name', 'host', 'port', 'from', 'to', 'url', 'on'];

function fieldOf(path: readonly string[]): Field {
  return FIELDS.find((field) => path.includes(field)) ?? 'name';
}

export function inputOf(draft: ChannelDraft): ChannelInput {
  const { name, enabled, on, secret } = draft;
  return {
    name,
    enabled,
    on: [...on],
    target: targetOf(draft),
    ...(secret === undefined ? {} : { secret }),
  };
}

function targetOf(draft: ChannelDraft): Target {
  switch (draft.kind) {
    case 'desktop':
      return { kind: 'desktop' };
    case 'email': {
      const user = draft.user.trim();
      return {
        kind: 'email',
        host: draft.host.trim(),
        port: /^\d+$/.test(draft.port.trim()) ? Number(draft.port) : 0,
        security: draft.security,
        user: user === '' ? null : user,
        from: draft.from.trim(),
        to: draft.to.split(/[\s,;]+/).filter((one) => one !== ''),
      };
    }
    case 'webhook':
    case 'ntfy':
      return { kind: draft.kind, url: draft.url.trim() };
    case 'monitor':
      return { kind: 'monitor', url: draft.url.trim(), planId: draft.planId === '' ? null : draft.planId };
  }
}

/** Where it sends to, without a secret: an address may itself be one, so only its host is named. */
export function placeOf(target: Target): string {
  switch (target.kind) {
    case 'desktop':
      return '';
    case 'email':
      return target.to.join(', ');
    default:
      return URL.canParse(target.url) ? new URL(target.url).host : '';
  }
}
