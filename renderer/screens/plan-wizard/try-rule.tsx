/** Whether one path would be backed up, and by which rule not. */
import { Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconCircleCheck, IconCircleMinus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Rules, RuleVerdict, Source } from '../../../src/api/model/plan.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { ThrownNote } from '../../components/parts.tsx';
import { isAbsolute } from '../../components/paths.ts';
import { ruleText } from '../../components/words.ts';
import { useLink } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

const PAUSE = 250;

export function TryRule(props: { readonly sources: readonly Source[]; readonly rules: Rules }) {
  const { say } = useSpeech();
  const link = useLink();
  const [path, setPath] = useState('');
  const [asked] = useDebouncedValue(path.trim(), PAUSE);
  const { rules } = props;
  const sources = [...props.sources];
  const verdict = useQuery({
    queryKey: ['test-rule', asked, sources, rules],
    queryFn: ({ signal }) => link.client.plans.testRule({ sources, rules, path: asked }, { signal }),
    enabled: isAbsolute(asked),
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <div>
      <FolderField
        label={say('wizard.try')}
        description={say('wizard.try.text')}
        what="file"
        value={path}
        onChange={setPath}
        onKeyDown={(e) => {
          // Nothing is sent off by it: the answer comes by itself.
          if (e.key === 'Enter' && path !== '') e.preventDefault();
        }}
      />
      <ThrownNote error={verdict.error} />
      {verdict.data && <Verdict verdict={verdict.data} />}
    </div>
  );
}

function Verdict({ verdict }: { readonly verdict: RuleVerdict }) {
  const { say } = useSpeech();
  const Icon = verdict.included ? IconCircleCheck : IconCircleMinus;
  return (
    <Text size="sm" role="status" className="hf-verdict" data-tone={verdict.included ? 'good' : 'fair'}>
      <Icon size={18} aria-hidden />
      <span>
        {verdict.included ? say('wizard.try.in') : say('wizard.try.out', { rule: ruleText(say, verdict) })}
      </span>
    </Text>
  );
}
