/** The version's file held against the one that lies on this computer today. */
import { Text } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleOff,
  IconHelpCircle,
  IconPencil,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Comparison, FileInVersion } from '../../../src/api/model/look.ts';
import { Facts, ThrownNote } from '../../components/parts.tsx';
import { useComparison } from '../../data/versions.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Loading, TextBox } from './side-parts.tsx';

const LOOKS: Readonly<Record<Comparison['state'], readonly [string, TablerIcon]>> = {
  same: ['good', IconCircleCheck],
  changed: ['fair', IconPencil],
  gone: ['fair', IconCircleOff],
  unknown: ['plain', IconHelpCircle],
};

export function Differs({ file }: { readonly file: FileInVersion }) {
  const { say } = useSpeech();
  const { data, error, isPending } = useComparison(file);
  if (error) return <ThrownNote error={error} />;
  if (isPending) return <Loading />;
  const [tone, Icon] = LOOKS[data.state];
  return (
    <div className="hf-differs">
      <p className="hf-differs-state" data-tone={tone} role="status">
        <Icon size={19} aria-hidden />
        {say(`restore.today.${data.state}`)}
      </p>
      {data.reason !== null && (
        <Text size="sm" c="dimmed">
          {data.reason}
        </Text>
      )}
      {data.state === 'changed' && <Sizes comparison={data} />}
      {data.diff !== null && data.diff !== '' && <Diff diff={data.diff} />}
      {data.state === 'changed' && data.diff === null && (
        <Text size="sm" c="dimmed">
          {say('restore.today.no-diff')}
        </Text>
      )}
    </div>
  );
}

function Sizes({ comparison: { version, today } }: { readonly comparison: Comparison }) {
  const { say, format } = useSpeech();
  const side = (name: string, one: { readonly bytes: number | null; readonly modifiedAt: number | null }) =>
    [
      name,
      <span key={name}>
        {one.bytes !== null && format.bytes(one.bytes)}
        {one.modifiedAt !== null && <small>{format.short(one.modifiedAt)}</small>}
      </span>,
    ] as const;
  return (
    <Facts
      facts={[
        side(say('restore.today.version'), version),
        ...(today ? [side(say('restore.today.file'), today)] : []),
      ]}
    />
  );
}

/** A unified diff, each line by its first letter; without the names of the files. */
function Diff({ diff }: { readonly diff: string }) {
  const { say } = useSpeech();
  const lines = diff.replace(/\n$/, '').split('\n');
  const body = lines.slice(
    Math.max(
      0,
      lines.findIndex((line) => line.startsWith('@@')),
    ),
  );
  return (
    <>
      <p className="hf-diff-legend">
        <span data-side="-">− {say('restore.today.only-today')}</span>
        <span data-side="+">+ {say('restore.today.only-version')}</span>
      </p>
      <TextBox label={say('restore.today.diff')}>
        {body.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a diff never move
          <span key={i} data-side={line[0]}>
            {line}
            {'\n'}
          </span>
        ))}
      </TextBox>
    </>
  );
}
