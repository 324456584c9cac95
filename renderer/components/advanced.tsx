/** What few people need, folded away. */
import { Button, Collapse } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useSpeech } from '../i18n/speech.tsx';

export function Advanced({ children }: { readonly children: ReactNode }) {
  const { say } = useSpeech();
  const [open, setOpen] = useState(false);
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <Button
        variant="subtle"
        size="compact-sm"
        aria-expanded={open}
        leftSection={<Icon size={16} aria-hidden />}
        onClick={() => setOpen(!open)}
      >
        {say('storage.advanced')}
      </Button>
      <Collapse expanded={open}>
        <div className="hf-form hf-advanced">{children}</div>
      </Collapse>
    </div>
  );
}
