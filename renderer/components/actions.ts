/** What several screens let the person do. */
import { useLocation } from 'wouter';
import type { Plan } from '../../src/api/model/plan.ts';
import type { Fix } from '../../src/api/model/status.ts';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { useTell } from './parts.tsx';

/** Starts plans, all of them even if one can't be. */
export function useBackUp() {
  const { say } = useSpeech();
  const tell = useTell();
  const run = useAsk(async (host, plans: readonly Pick<Plan, 'id'>[]) => {
    const started = await Promise.allSettled(plans.map(({ id }) => host.plans.run({ id })));
    const runs = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const failure = started.find((one) => one.status === 'rejected');
    if (failure && runs.length === 0) throw failure.reason;
    return { runs, failure: failure?.reason as unknown };
  });
  return {
    isPending: run.isPending,
    start: (plans: readonly Pick<Plan, 'id'>[]) =>
      run.mutate(plans, {
        onSuccess: ({ runs, failure }) => {
          tell.done(say('home.back-up-started', { count: runs.length }));
          if (failure) tell.failed(failure);
        },
        onError: tell.failed,
      }),
  };
}

export function useCheck() {
  const { say } = useSpeech();
  const tell = useTell();
  const check = useAsk((host, id: string) => host.destinations.check({ id, percent: null }));
  return {
    isPending: check.isPending,
    start: (id: string) =>
      check.mutate(id, {
        onSuccess: () => tell.done(say('destinations.check-started')),
        onError: tell.failed,
      }),
  };
}

/** Resolves what a verdict's reason points at. */
export function useFix(): (fix: Fix) => void {
  const [, go] = useLocation();
  const tell = useTell();
  const backUp = useBackUp();
  const check = useCheck();
  const resume = useAsk((host) => host.system.resume());
  return (fix) => {
    switch (fix.kind) {
      case 'create-plan':
        return go('/plans/new');
      case 'add-destination':
        return go('/destinations/new');
      case 'run-plan':
        return backUp.start([{ id: fix.planId }]);
      case 'edit-plan':
        return go(`/plans/${fix.planId}`);
      case 'open-run':
        return go(`/activity/${fix.runId}`);
      case 'check-destination':
        return check.start(fix.destinationId);
      case 'open-destination':
        return go(`/destinations#${fix.destinationId}`);
      case 'sign-in':
        return go(`/destinations?sign-in=${fix.destinationId}#${fix.destinationId}`);
      case 'resume':
        return resume.mutate(undefined, { onError: tell.failed });
    }
  };
}
