/** The files that a run could not read or write, tens of thousands if there are: asked for as they come into sight. */
import { Button, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import type { Problem, Run } from '../../../src/api/model/run.ts';
import type { Client } from '../../../src/transport/client.ts';
import { Panel, useTell } from '../../components/parts.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { errorWords } from '../../components/words.ts';
import { useAsk, useRunProblems } from '../../data/host.tsx';
import { saveText } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';

const ROW_HEIGHT = 48;

export function Problems({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  if (run.problemCount === 0) {
    return (
      <Panel title={say('run.problems')}>
        <Text c="dimmed">{say('run.problems.none')}</Text>
      </Panel>
    );
  }
  return (
    <Panel
      title={`${say('run.problems')} (${format.number(run.problemCount)})`}
      actions={<SaveList run={run} />}
    >
      <Text c="dimmed">
        {say(run.task.kind === 'restore' ? 'run.problems.restore' : 'run.problems.backup')}
      </Text>
      <List run={run} />
    </Panel>
  );
}

function List({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const [[first, last], setRange] = useState<readonly [number, number]>([0, 0]);
  const problemAt = useRunProblems(run.id, first, Math.min(last, run.problemCount - 1));
  const onRange = useCallback((from: number, to: number) => setRange([from, to]), []);
  return (
    <VirtualList
      label={say('run.problems')}
      className="hf-problems"
      count={run.problemCount}
      rowHeight={ROW_HEIGHT}
      columns={[say('run.problems.path'), say('run.problems.what')]}
      onRange={onRange}
      row={(i) => <Cells problem={problemAt(i)} />}
    />
  );
}

function Cells({ problem }: { readonly problem: Problem | undefined }) {
  const speech = useSpeech();
  const words = problem && errorWords(speech, problem.error);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: the table is none of elements */}
      <div role="cell" className="hf-path">
        {problem?.path ?? '…'}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="cell" className="hf-path">
        {words?.title}
        {words?.detail !== undefined && <div className="hf-dim">{words.detail}</div>}
        {words?.hint !== undefined && <div className="hf-dim">{words.hint}</div>}
      </div>
    </>
  );
}

const PAGE = 1000;

async function allProblems(client: Client, { id, problemCount }: Run): Promise<string> {
  const lines: string[] = [];
  for (let offset = 0; offset < problemCount; offset += PAGE) {
    const page = await client.runs.problems({ id, offset, limit: PAGE });
    lines.push(...page.map(({ path, error }) => `${path}\t${error.message}`));
    if (page.length < PAGE) break;
  }
  return `${lines.join('\n')}\n`;
}

function SaveList({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const tell = useTell();
  const save = useAsk(async (client, of: Run) =>
    saveText(`holdfast-problems-${of.id.slice(0, 8)}.txt`, await allProblems(client, of), 'text/plain'),
  );
  return (
    <Button
      variant="default"
      size="xs"
      leftSection={<IconDownload size={16} aria-hidden />}
      loading={save.isPending}
      onClick={() => save.mutate(run, { onError: tell.failed })}
    >
      {say('run.problems.save')}
    </Button>
  );
}
