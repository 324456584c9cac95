/** What "Test connection" found, in words. */
import { Alert } from '@mantine/core';
import { IconCircleCheck, IconEye } from '@tabler/icons-react';
import type { ConnectionTest, Destination, StorageFacts } from '../../src/api/model/destination.ts';
import type { MessageKey } from '../i18n/en.ts';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { isOnlyReadable, isUsable } from './connection.ts';
import { ErrorNote, WordsNote } from './parts.tsx';

/** `mayOnlyRead`: a repository that can only be read is of use, too. `known`: this destination was tried with its own password. */
export function TestResult({
  test,
  mayOnlyRead,
  known,
}: {
  readonly test: ConnectionTest;
  readonly mayOnlyRead?: boolean;
  readonly known?: Destination;
}) {
  const { say, format } = useSpeech();
  if (known && test.problem) {
    // Where the card says so above, it is not said again.
    const told = known.problem?.message === test.problem.message;
    return told ? (
      <div role="status" className="hf-bad">
        {say('destinations.test.still')}
      </div>
    ) : (
      <ErrorNote error={test.problem} />
    );
  }
  if (mayOnlyRead && !isUsable(test) && isOnlyReadable(test)) {
    return (
      <Alert
        className="hf-note"
        data-tone="fair"
        role="status"
        icon={<IconEye size={20} aria-hidden />}
        title={say('add.test.only-read')}
      />
    );
  }
  if (!isUsable(test) && !known?.readOnly) {
    return test.problem ? (
      <ErrorNote error={test.problem} />
    ) : (
      <WordsNote words={{ title: say('add.test.read-only') }} />
    );
  }
  const { space } = test;
  return (
    <Alert
      className="hf-note"
      data-tone="good"
      role="status"
      icon={<IconCircleCheck size={20} aria-hidden />}
      title={say(okText(test, known))}
    >
      {space && say('unit.free-of', { free: format.bytes(space.free), total: format.bytes(space.total) })}
      {test.facts && <FactSentences facts={test.facts} />}
    </Alert>
  );
}

/** What the place tells of itself, for those who are to decide whether they want it. */
function FactSentences({ facts }: { readonly facts: StorageFacts }) {
  const { say } = useSpeech();
  const { account, appendOnly, versioning, objectLock } = facts;
  const sentences = [
    account !== null && say('facts.account', { account }),
    appendOnly && say('facts.append-only'),
    versioning !== null && versioning !== 'off' && say(`facts.versioning.${versioning}`),
    objectLock && lockSentence(say, objectLock),
  ].filter((one) => typeof one === 'string');
  return sentences.map((sentence) => <div key={sentence}>{sentence}</div>);
}

function lockSentence(say: Say, { days }: NonNullable<StorageFacts['objectLock']>): string {
  return days === null ? say('destinations.object-lock.single') : say('facts.object-lock.days', { days });
}

function okText({ repository }: ConnectionTest, known: Destination | undefined): MessageKey {
  if (known) return known.readOnly ? 'destinations.test.ok-read' : 'destinations.test.ok';
  return repository ? 'add.test.ok-existing' : 'add.test.ok-new';
}
