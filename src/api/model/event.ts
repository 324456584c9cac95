/** What clients hear while they listen. Each carries enough to update a screen without another call. */
import { z } from 'zod';
import { Alert } from './alert.ts';
import { Id } from './common.ts';
import { Destination } from './destination.ts';
import { CatalogState } from './look.ts';
import { Plan } from './plan.ts';
import { LogLine, Progress, Run } from './run.ts';
import { Settings } from './settings.ts';
import { Status } from './status.ts';

export const HostEvent = z.discriminatedUnion('kind', [
  /** The first one after a subscription, and again whenever the verdict, the pause or the queue has changed. */
  z.object({ kind: z.literal('status'), status: Status }),
  z.object({ kind: z.literal('run'), run: Run }),
  /** A few times a second while a run is under way; a slow listener gets only the latest. */
  z.object({ kind: z.literal('progress'), runId: Id, progress: Progress }),
  z.object({ kind: z.literal('log'), runId: Id, line: LogLine }),
  z.object({ kind: z.literal('plan'), plan: Plan }),
  z.object({ kind: z.literal('plan-removed'), planId: Id }),
  z.object({ kind: z.literal('destination'), destination: Destination }),
  z.object({ kind: z.literal('destination-removed'), destinationId: Id }),
  z.object({ kind: z.literal('alert'), alert: Alert }),
  z.object({ kind: z.literal('settings'), settings: Settings }),
  /** Channels have been added, changed or removed. */
  z.object({ kind: z.literal('channels') }),
  z.object({ kind: z.literal('catalog'), catalog: CatalogState }),
]);
export type HostEvent = z.infer<typeof HostEvent>;
