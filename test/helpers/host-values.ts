/** Plans, destinations and runs as values, whole but for what a test says of them. */
import { randomUUID } from 'node:crypto';
import { Destination } from '../../src/api/model/destination.ts';
import { Plan, type PlanInput } from '../../src/api/model/plan.ts';
import type { Run } from '../../src/api/model/run.ts';

export function planOf(said: Partial<Plan> & Partial<PlanInput> = {}): Plan {
  return Plan.parse({
    id: randomUUID(),
    name: 'Documents',
    sources: [{ kind: 'path', path: '/home/ann/documents' }],
    destinations: [randomUUID()],
    schedule: { when: { kind: 'daily', at: ['12:30'] } },
    createdAt: 0,
    updatedAt: 0,
    ...said,
  });
}

export function destinationOf(said: Partial<Destination> = {}): Destination {
  return Destination.parse({
    id: randomUUID(),
    name: 'USB disk',
    location: '/media/usb/backup',
    kind: 'local',
    repositoryId: 'ab'.repeat(32),
    createdAt: 0,
    embedded: false,
    space: null,
    usedBytes: null,
    lastSeenAt: null,
    problem: null,
    lastCheck: null,
    hasRecoveryKey: true,
    ...said,
  });
}

export function backupRunOf(planId: string, destinationId: string, said: Partial<Run> = {}): Run {
  return {
    id: randomUUID(),
    task: { kind: 'backup', planId, destinationId },
    trigger: 'schedule',
    state: 'succeeded',
    planId,
    planName: 'Documents',
    destinationId,
    destinationName: 'USB disk',
    queuedAt: 0,
    startedAt: 0,
    endedAt: 0,
    attempt: 1,
    previousId: null,
    waitingFor: null,
    waitingCode: null,
    progress: null,
    report: null,
    error: null,
    problemCount: 0,
    ...said,
  };
}
