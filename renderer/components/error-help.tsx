/** Where what ended a run can be put right. */
import { Button } from '@mantine/core';
import { Link } from 'wouter';
import type { ErrorCode } from '../../src/api/errors.ts';
import type { Run } from '../../src/api/model/run.ts';
import { useDestinations, usePlans } from '../data/host.tsx';
import type { MessageKey } from '../i18n/en.ts';
import { useSpeech } from '../i18n/speech.tsx';

const OF_SOURCES: readonly ErrorCode[] = ['source-missing', 'source-emptied'];
const OF_DESTINATIONS: readonly ErrorCode[] = [
  'repository-missing',
  'wrong-password',
  'damaged',
  'unreachable',
];
const OF_LOGINS: readonly ErrorCode[] = ['auth-expired', 'host-unverified'];
/** Of a restore, these are about the place that files were to be written to. */
const OF_WRITING: readonly ErrorCode[] = ['no-space', 'permission', 'read-only', 'conflict'];

/** A button that leads there; nothing where no place of Holdfast helps, or it is gone. */
export function ErrorHelp({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const { data: plans } = usePlans();
  const { data: destinations } = useDestinations();
  const place = placeOf(run);
  if (!place) return null;
  const there =
    place.name === 'fix.edit-plan'
      ? plans?.some(({ plan }) => plan.id === place.id)
      : destinations?.some(({ id }) => id === place.id);
  if (!there) return null;
  return (
    <Button component={Link} href={place.to} variant="light">
      {say(place.name)}
    </Button>
  );
}

interface Place {
  readonly id: string;
  readonly to: string;
  readonly name: MessageKey;
}

function placeOf({ error, planId, destinationId, task }: Run): Place | undefined {
  if (!error) return undefined;
  if (OF_SOURCES.includes(error.code) && planId !== null) {
    return { id: planId, to: `/plans/${planId}`, name: 'fix.edit-plan' };
  }
  if (OF_LOGINS.includes(error.code) && destinationId !== null) {
    const to = `/destinations?sign-in=${destinationId}#${destinationId}`;
    return { id: destinationId, to, name: 'fix.sign-in' };
  }
  const ofWriting = task.kind !== 'restore' && OF_WRITING.includes(error.code);
  const ofDestination = ofWriting || OF_DESTINATIONS.includes(error.code);
  if (!ofDestination || destinationId === null) return undefined;
  return { id: destinationId, to: `/destinations#${destinationId}`, name: 'fix.open-destination' };
}
