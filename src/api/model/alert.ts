/**
 * channel  a way to tell somebody
 * alert    a state of affairs that somebody should know of; told once when it begins and once when it is over
 */
import { z } from 'zod';
import { Id, Instant, Name } from './common.ts';

export const ALERT_KINDS = [
  'run-failed',
  'run-warnings',
  'run-succeeded',
  'no-backup',
  'space-low',
  'check-failed',
  'destination-unreachable',
] as const;
export const AlertKind = z.enum(ALERT_KINDS);
export type AlertKind = z.infer<typeof AlertKind>;

const HttpUrl = z.url({ protocol: /^https?$/ });

export const Target = z.discriminatedUnion('kind', [
  /** By the shell, or nowhere where there is none. */
  z.object({ kind: z.literal('desktop') }),
  z.object({
    kind: z.literal('email'),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    security: z.enum(['tls', 'starttls', 'none']),
    user: z.string().nullable(),
    from: z.email(),
    to: z.array(z.email()).min(1).max(20),
  }),
  z.object({ kind: z.literal('webhook'), url: HttpUrl }),
  z.object({ kind: z.literal('ntfy'), url: HttpUrl }),
  /** Told of each run's start and end, so that it can raise the alarm when nothing comes any more. */
  z.object({ kind: z.literal('monitor'), url: HttpUrl, planId: Id.nullable() }),
]);
export type Target = z.infer<typeof Target>;

export const ChannelInput = z.object({
  name: Name,
  target: Target,
  /** Kinds that this channel tells of. */
  on: z
    .array(AlertKind)
    .default([
      'run-failed',
      'run-warnings',
      'no-backup',
      'space-low',
      'check-failed',
      'destination-unreachable',
    ]),
  enabled: z.boolean().default(true),
  /** The SMTP password or access token. Write only: it goes to the secret store and never comes back. */
  secret: z.string().max(4096).optional(),
});
export type ChannelInput = z.input<typeof ChannelInput>;

export const Channel = ChannelInput.omit({ secret: true }).extend({
  id: Id,
  hasSecret: z.boolean(),
  /** What happened the last time: null where it was never used. */
  lastResult: z.object({ at: Instant, ok: z.boolean(), message: z.string() }).nullable(),
});
export type Channel = z.output<typeof Channel>;

export const Alert = z.object({
  id: Id,
  kind: AlertKind,
  /** What it is about, such as `plan:<id>`; with the kind it tells two alerts apart. */
  subject: z.string(),
  title: z.string(),
  text: z.string(),
  startedAt: Instant,
  /** null: it still holds. */
  endedAt: Instant.nullable(),
  runId: Id.nullable(),
});
export type Alert = z.infer<typeof Alert>;
