/** What each plan does on battery and on a network that costs by the byte, and how much of the computer it takes. */
import { NativeSelect, Skeleton, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Plan } from '../../../src/api/model/plan.ts';
import { useTell } from '../../components/parts.tsx';
import { usePartOfList } from '../../components/parts-of-list.tsx';
import { useAsk, usePlans } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { Saved, Section } from './setting.tsx';

const CHOICES = {
  onBattery: ['run', 'wait'],
  onMetered: ['run', 'wait'],
  priority: ['low', 'normal'],
} as const;
type Option = keyof typeof CHOICES;
const OPTIONS = ['onBattery', 'onMetered', 'priority'] as const satisfies readonly Option[];

export function Power() {
  const { say } = useSpeech();
  const { data: plans } = usePlans();
  const { shown, find, more } = usePartOfList(plans ?? [], { step: 20, nameOf: ({ plan }) => plan.name });
  return (
    <Section id="power" title={say('settings.power')} text={say('settings.power.text')}>
      {!plans && <Skeleton height={60} />}
      {plans?.length === 0 && (
        <Text c="dimmed">
          {say('settings.power.none')} <Link href="/plans/new">{say('plans.new')}</Link>
        </Text>
      )}
      {find}
      {plans && plans.length > 0 && (
        <div className="hf-scroll">
          <Table verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{say('recovery.plan')}</Table.Th>
                {OPTIONS.map((option) => (
                  <Table.Th key={option}>{say(`settings.power.${option}`)}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map(({ plan }) => (
                <PlanRow key={plan.id} plan={plan} />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {more}
    </Section>
  );
}

function PlanRow({ plan }: { readonly plan: Plan }) {
  const { say } = useSpeech();
  const tell = useTell();
  const [saved, setSaved] = useState(0);
  const update = useAsk((host, options: Plan['options']) => host.plans.update({ ...plan, options }));
  // What was chosen is shown until the host has told of it, and is gone when it refuses.
  const shown = update.isPending ? update.variables : plan.options;
  const choose = (option: Option, value: string) => {
    const fitting = CHOICES[option].find((one) => one === value);
    if (fitting === undefined) return;
    update.mutate(
      { ...plan.options, [option]: fitting },
      { onSuccess: () => setSaved((n) => n + 1), onError: tell.failed },
    );
  };
  return (
    <Table.Tr>
      <Table.Th scope="row">
        <Link href={`/plans/${plan.id}`} className="hf-row-link">
          {plan.name}
        </Link>{' '}
        <Saved count={saved} />
      </Table.Th>
      {OPTIONS.map((option) => (
        <Table.Td key={option}>
          <NativeSelect
            aria-label={`${say(`settings.power.${option}`)}: ${plan.name}`}
            data={CHOICES[option].map((value) => ({ value, label: say(`settings.power.${value}`) }))}
            value={shown[option]}
            onChange={(e) => choose(option, e.currentTarget.value)}
          />
        </Table.Td>
      ))}
    </Table.Tr>
  );
}
