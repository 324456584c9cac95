/** What the parts of the side panel share. */
import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpeech } from '../../i18n/speech.tsx';

export function Loading() {
  const { say } = useSpeech();
  return (
    <div role="status" aria-label={say('restore.tree.waiting')}>
      <Skeleton height={14} mb={8} />
      <Skeleton height={14} width="80%" mb={8} />
      <Skeleton height={14} width="60%" />
    </div>
  );
}

/** Lines as they are, in a box that scrolls. */
export function TextBox({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="hf-preview-text" tabIndex={0} aria-label={label}>
      <pre>{children}</pre>
    </section>
  );
}
