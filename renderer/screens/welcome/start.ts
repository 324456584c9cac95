/** Makes what the wizard has asked for: the destination, the plan, the first run. */
import { useRef } from 'react';
import { EngineError } from '../../../src/api/errors.ts';
import type { Client } from '../../../src/transport/client.ts';
import { baseName } from '../../components/paths.ts';
import { useAsk } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { freeName, type PlaceOption, planFrom, type Rhythm } from './draft.ts';
import type { Started } from './started.tsx';

export interface StartRequest {
  readonly sources: readonly string[];
  readonly option: PlaceOption;
  readonly location: string;
  readonly password: string;
  readonly rhythm: Rhythm;
}

type Place = Omit<Started, 'run'>;

interface Made {
  readonly location?: string;
  readonly place?: Place;
  readonly planId?: string;
}

export function useStart() {
  const { say } = useSpeech();
  // What a try has made before it failed is not made again by the next one; a key that was made is shown after all.
  const made = useRef<Made>({});
  const ask = useAsk(async (host, request: StartRequest): Promise<Started> => {
    const { current } = made;
    const place =
      current.location === request.location && current.place ? current.place : await placeFor(host, request);
    made.current = { ...current, location: request.location, place };
    const planId = await planFor(
      host,
      request,
      place.destination.id,
      current.planId,
      say('wizard.name.default'),
    );
    made.current = { ...made.current, planId };
    const [run] = await host.plans.run({ id: planId });
    if (!run) throw new EngineError('internal', 'The plan was made, but its first backup did not start.');
    return { ...place, run };
  });
  return {
    isPending: ask.isPending,
    error: ask.error,
    started: ask.data,
    run: (request: StartRequest) => ask.mutate(request),
  };
}

async function placeFor(host: Client, { option, location, password }: StartRequest): Promise<Place> {
  if (option.kind === 'known') {
    return { destination: option.destination, recoveryKey: null, restoredPlans: 0 };
  }
  const names = (await host.destinations.list()).map(({ name }) => name);
  const wanted = option.kind === 'disk' ? option.disk.name : baseName(location);
  const name = freeName(wanted.slice(0, 100), names);
  return host.destinations.add({ name, location, ...(password === '' ? {} : { password }) });
}

async function planFor(
  host: Client,
  request: StartRequest,
  destinationId: string,
  known: string | undefined,
  wanted: string,
): Promise<string> {
  const others = (await host.plans.list()).map(({ plan }) => plan).filter(({ id }) => id !== known);
  const name = freeName(
    wanted,
    others.map((plan) => plan.name),
  );
  const input = planFrom({ ...request, name, destinationId });
  const plan =
    known === undefined ? await host.plans.create(input) : await host.plans.update({ ...input, id: known });
  return plan.id;
}
