/** What the whole of Holdfast says about itself. */
import { z } from 'zod';
import { Id, Instant } from './common.ts';

/** What can be done about a reason. The screen makes a button of it. */
export const Fix = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('create-plan') }),
  z.object({ kind: z.literal('add-destination') }),
  z.object({ kind: z.literal('run-plan'), planId: Id }),
  z.object({ kind: z.literal('edit-plan'), planId: Id }),
  z.object({ kind: z.literal('open-run'), runId: Id }),
  z.object({ kind: z.literal('check-destination'), destinationId: Id }),
  z.object({ kind: z.literal('open-destination'), destinationId: Id }),
  z.object({ kind: z.literal('sign-in'), destinationId: Id }),
  z.object({ kind: z.literal('resume') }),
]);
export type Fix = z.infer<typeof Fix>;

export const Reason = z.object({
  level: z.enum(['problem', 'advice']),
  /** Stable name of the kind of reason, such as 'no-backup-yet'. */
  code: z.string(),
  sentence: z.string(),
  fix: Fix.nullable(),
});
export type Reason = z.infer<typeof Reason>;

export const Verdict = z.object({
  /** 'none': not protected yet. 'protected' only where every plan has a proven, recent backup. */
  state: z.enum(['protected', 'attention', 'none']),
  reasons: z.array(Reason),
});
export type Verdict = z.infer<typeof Verdict>;

export const Pause = z.object({
  /** null: until somebody resumes. */
  until: Instant.nullable(),
});
export type Pause = z.infer<typeof Pause>;

export const Status = z.object({
  at: Instant,
  version: z.string(),
  hostname: z.string(),
  verdict: Verdict,
  pause: Pause.nullable(),
  /** The newest backup of any plan that ended well or with warnings. */
  lastBackupAt: Instant.nullable(),
  nextBackupAt: Instant.nullable(),
  running: z.array(Id),
  queued: z.array(Id),
});
export type Status = z.infer<typeof Status>;

/** What the system tells of its power and network; the shell keeps it up to date. */
export const Conditions = z.object({
  onBattery: z.boolean().nullable(),
  metered: z.boolean().nullable(),
  online: z.boolean().nullable(),
});
export type Conditions = z.infer<typeof Conditions>;
