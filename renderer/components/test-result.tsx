/** What "Test connection" found, in words. */
import { Alert } from '@mantine/core';
import { IconCircleCheck, IconEye } from '@tabler/icons-react';
import type { ConnectionTest } from '../../src/api/model/destination.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { ErrorNote, WordsNote } from './parts.tsx';

/** Whether backups could be kept there. A password that is missing or wrong is no fault of the place. */
export function isUsable({ problem, writable, repository }: ConnectionTest): boolean {
  return (writable && problem === null) || (repository && problem?.code === 'wrong-password');
}

/** There is a repository, but nothing can be written to it: files can be had from it, none be kept in it. */
export function isOnlyReadable({ problem, writable, repository }: ConnectionTest): boolean {
  return repository && !writable && (problem === null || READING_GOES_ON.includes(problem.code));
}

const READING_GOES_ON: readonly string[] = ['read-only', 'permission', 'no-space', 'wrong-password'];

/** `mayOnlyRead`: a repository that can only be read is of use, too. */
export function TestResult({
  test,
  mayOnlyRead,
}: {
  readonly test: ConnectionTest;
  readonly mayOnlyRead?: boolean;
}) {
  const { say, format } = useSpeech();
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
  if (!isUsable(test)) {
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
      title={say(test.repository ? 'add.test.ok-existing' : 'add.test.ok-new')}
    >
      {space && say('unit.free-of', { free: format.bytes(space.free), total: format.bytes(space.total) })}
    </Alert>
  );
}
