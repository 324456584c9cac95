/** The way to files on this computer: the system's file manager in the shell; in a browser their path, to be copied. */
import { Button } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useShell } from '../data/shell.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { CopyText } from './copy-text.tsx';
import { useTell } from './parts.tsx';

export function ShowPlace({ path }: { readonly path: string }) {
  const { say } = useSpeech();
  const tell = useTell();
  const shell = useShell();
  const reveal = useMutation({ mutationFn: async () => shell?.reveal(path), onError: tell.failed });
  if (!shell) return <CopyText text={path} name={say('place.copy')} />;
  return (
    <Button
      variant="light"
      leftSection={<IconFolderOpen size={17} aria-hidden />}
      loading={reveal.isPending}
      onClick={() => reveal.mutate()}
    >
      {say('place.open')}
    </Button>
  );
}
