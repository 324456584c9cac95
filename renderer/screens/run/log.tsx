/** What a run has said, line by line, while it goes and afterwards. */
import { SegmentedControl, Skeleton, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { ENDED, type LogLine, type Run } from '../../../src/api/model/run.ts';
import { CopyText } from '../../components/copy-text.tsx';
import { Panel } from '../../components/parts.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { useRunLog } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

const ROW_HEIGHT = 30;

const LEVELS = {
  all: ['info', 'warning', 'error'],
  warnings: ['warning', 'error'],
  errors: ['error'],
} as const satisfies Readonly<Record<string, readonly LogLine['level'][]>>;
type Shown = keyof typeof LEVELS;

export function Log({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const { data: lines } = useRunLog(run.id);
  const [shown, setShown] = useState<Shown>('all');
  const fitting = useMemo(() => {
    const levels: readonly LogLine['level'][] = LEVELS[shown];
    return lines?.filter(({ level }) => levels.includes(level));
  }, [lines, shown]);
  return (
    <Panel
      title={say('run.log')}
      actions={
        <div className="hf-actions">
          <SegmentedControl
            size="xs"
            aria-label={say('run.log.level')}
            data={(['all', 'warnings', 'errors'] as const).map((value) => ({
              value,
              label: say(`run.log.${value}`),
            }))}
            value={shown}
            onChange={setShown}
          />
          <CopyText text={(fitting ?? []).map(textOf).join('\n')} label={say('run.log.copy')} />
        </div>
      }
    >
      {!fitting && <Skeleton height={90} />}
      {fitting?.length === 0 && (
        <Text c="dimmed">{say(lines?.length === 0 ? 'run.log.empty' : 'run.log.none')}</Text>
      )}
      {fitting && fitting.length > 0 && <Lines lines={fitting} follow={!ENDED.includes(run.state)} />}
    </Panel>
  );
}

function textOf({ at, level, text }: LogLine): string {
  return `${new Date(at).toISOString()} ${level} ${text}`;
}

function Lines({ lines, follow }: { readonly lines: readonly LogLine[]; readonly follow: boolean }) {
  const { say, format } = useSpeech();
  return (
    <VirtualList
      label={say('run.log')}
      className="hf-log"
      count={lines.length}
      rowHeight={ROW_HEIGHT}
      columns={[]}
      follow={follow}
      level={(i) => lines[i]?.level}
      row={(i) => {
        const line = lines[i];
        return (
          line && (
            <>
              {/* biome-ignore lint/a11y/useSemanticElements: the table is none of elements */}
              <time role="cell" dateTime={new Date(line.at).toISOString()}>
                {format.clock(line.at)}
              </time>
              {/* biome-ignore lint/a11y/useSemanticElements: as above */}
              <span role="cell">{line.text}</span>
            </>
          )
        );
      }}
    />
  );
}
