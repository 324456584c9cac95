/** What "Test connection" found, in words. */
import { Alert } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import type { ConnectionTest } from '../../src/api/model/destination.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { ErrorNote, WordsNote } from './parts.tsx';

/** Whether backups could be kept there. A password that is missing or wrong is no fault of the place. */
export function isUsable({ problem, writable, repository }: ConnectionTest): boolean {
  return (writable && problem === null) || (repository && problem?.code === 'wrong-password');
}

export function TestResult({ test }: { readonly test: ConnectionTest }) {
  const { say, format } = useSpeech();
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
