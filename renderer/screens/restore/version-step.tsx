/** Choose a version: where from, which day, which of that day's. */
import { Button, NativeSelect, Radio, Skeleton, Text } from '@mantine/core';
import { IconCalendarOff, IconFolderOpen } from '@tabler/icons-react';
import { useState } from 'react';
import type { Destination, Version } from '../../../src/api/model/destination.ts';
import { EmptyState, ErrorNote, Facts, Moment, ThrownNote, ToneBadge } from '../../components/parts.tsx';
import { kindText } from '../../components/words.ts';
import type { useVersions } from '../../data/versions.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import type { Go } from './draft.ts';
import { MonthCalendar } from './month-calendar.tsx';
import { dayKey, type Line, lineKey, linesOf, versionsByDay } from './months.ts';
import { OtherRepository } from './other-repository.tsx';
import { SearchPanel } from './search-panel.tsx';
import { VersionSlider } from './version-slider.tsx';

interface VersionStepProps {
  readonly destination: Destination;
  readonly all: readonly Destination[];
  readonly versions: ReturnType<typeof useVersions>;
  readonly version: Version | undefined;
  readonly go: Go;
}

export function VersionStep({ destination, all, versions, version, go }: VersionStepProps) {
  const { say } = useSpeech();
  return (
    <>
      {version && <SearchPanel destinationId={destination.id} version={version} go={go} />}
      <Places destination={destination} all={all} go={go} />
      {versions.error && (
        <>
          <ThrownNote error={versions.error} />
          <Button variant="light" className="hf-start" onClick={() => void versions.refetch()}>
            {say('common.try-again')}
          </Button>
        </>
      )}
      {versions.isPending && <Skeleton height={300} radius="md" />}
      {versions.data?.length === 0 && (
        <EmptyState
          icon={IconCalendarOff}
          title={say('restore.version.none')}
          text={say('restore.version.none.text')}
        />
      )}
      {version && versions.data && (
        <ChooseVersion
          versions={versions.data}
          chosen={version}
          onChoose={({ id }) => go({ versionId: id, step: 'version', replace: true })}
        />
      )}
    </>
  );
}

function Places(props: Pick<VersionStepProps, 'destination' | 'all' | 'go'>) {
  const { destination, all, go } = props;
  const { say } = useSpeech();
  const [adding, setAdding] = useState(false);
  const choose = (destinationId: string) =>
    go({ destinationId, versionId: null, step: 'version', replace: true });
  return (
    <div className="hf-from">
      <Radio.Group
        label={say('restore.from')}
        value={destination.id}
        onChange={choose}
        classNames={{ label: 'hf-group-label' }}
      >
        <div className="hf-places">
          {all.map((one) => (
            <Place key={one.id} place={one} isChosen={one.id === destination.id} />
          ))}
        </div>
      </Radio.Group>
      {destination.problem && <ErrorNote error={destination.problem} />}
      <Button
        variant="subtle"
        className="hf-start"
        leftSection={<IconFolderOpen size={17} aria-hidden />}
        onClick={() => setAdding(true)}
      >
        {say('restore.other')}
      </Button>
      {adding && (
        <OtherRepository
          onClose={() => setAdding(false)}
          onAdded={({ id }) => {
            setAdding(false);
            choose(id);
          }}
        />
      )}
    </div>
  );
}

function Place({ place, isChosen }: { readonly place: Destination; readonly isChosen: boolean }) {
  const { say } = useSpeech();
  const kind = kindText(say, place);
  return (
    <div className="hf-choice" data-checked={isChosen || undefined}>
      <Radio
        value={place.id}
        label={place.name}
        description={place.readOnly ? say('restore.from.read-only', { kind }) : kind}
      />
      {place.problem && <ToneBadge tone="bad">{say('destinations.problem')}</ToneBadge>}
    </div>
  );
}

interface ChooseProps {
  /** Newest first; not empty. */
  readonly versions: readonly Version[];
  readonly chosen: Version;
  readonly onChoose: (version: Version) => void;
}

function ChooseVersion({ versions, chosen, onChoose }: ChooseProps) {
  const lines = linesOf(versions);
  // '': all of them.
  const [line, setLine] = useState('');
  const shown = line === '' ? versions : versions.filter((version) => lineKey(version) === line);
  const days = versionsByDay(shown);
  const chooseFirst = (list: readonly Version[] | undefined) => list?.[0] && onChoose(list[0]);
  return (
    <>
      {lines.length > 1 && (
        <Lines
          lines={lines}
          line={line}
          onLine={(key) => {
            setLine(key);
            if (key !== '' && lineKey(chosen) !== key) {
              chooseFirst(versions.filter((version) => lineKey(version) === key));
            }
          }}
        />
      )}
      {shown.length > 1 && <VersionSlider versions={shown} chosen={chosen} onChoose={onChoose} />}
      <div className="hf-when">
        <MonthCalendar
          days={days}
          from={shown.at(-1)?.at ?? chosen.at}
          to={Math.max(Date.now(), chosen.at)}
          chosen={dayKey(chosen.at)}
          onChoose={(day) => chooseFirst(days.get(day))}
        />
        <div className="hf-of-day">
          <OfDay versions={days.get(dayKey(chosen.at)) ?? [chosen]} chosen={chosen} onChoose={onChoose} />
          <VersionFacts version={chosen} />
        </div>
      </div>
    </>
  );
}

function Lines(props: {
  readonly lines: readonly Line[];
  readonly line: string;
  readonly onLine: (key: string) => void;
}) {
  const { say, format } = useSpeech();
  const nameOf = ({ planName, paths, hostname, count }: Line) =>
    say('restore.line', { what: planName ?? format.list(paths.slice(0, 3)), hostname, count });
  return (
    <NativeSelect
      label={say('restore.line.label')}
      className="hf-line-choice"
      value={props.line}
      onChange={(e) => props.onLine(e.currentTarget.value)}
      data={[
        { value: '', label: say('restore.line.all') },
        ...props.lines.map((line) => ({ value: line.key, label: nameOf(line) })),
      ]}
    />
  );
}

function OfDay({ versions, chosen, onChoose }: ChooseProps) {
  const { say, format } = useSpeech();
  return (
    <Radio.Group
      label={say('restore.day', { date: format.date(chosen.at) })}
      classNames={{ label: 'hf-group-label' }}
      value={chosen.id}
      onChange={(id) => {
        const version = versions.find((one) => one.id === id);
        if (version) onChoose(version);
      }}
    >
      <div className="hf-version-times">
        {versions.map((version) => (
          <div key={version.id} className="hf-choice" data-checked={version.id === chosen.id || undefined}>
            <Radio
              value={version.id}
              label={format.time(version.at)}
              description={
                version.addedBytes === null
                  ? version.planName
                  : say('restore.version.added', { bytes: format.bytes(version.addedBytes) })
              }
            />
          </div>
        ))}
      </div>
    </Radio.Group>
  );
}

function VersionFacts({ version }: { readonly version: Version }) {
  const { say, format } = useSpeech();
  const { at, hostname, planName, files, bytes, addedBytes, paths } = version;
  return (
    <>
      <Text size="sm" c="dimmed">
        {format.exact(at)}
      </Text>
      <Facts
        facts={[
          [say('restore.version.made'), <Moment key="at" at={at} />],
          [say('restore.version.computer'), hostname],
          ...(planName === null ? [] : [[say('activity.plan'), planName] as const]),
          ...(files === null ? [] : [[say('run.files'), format.number(files)] as const]),
          ...(bytes === null ? [] : [[say('restore.version.size'), format.bytes(bytes)] as const]),
          ...(addedBytes === null ? [] : [[say('run.bytes-added'), format.bytes(addedBytes)] as const]),
          [say('restore.version.of'), format.list(paths.slice(0, 5))],
        ]}
      />
    </>
  );
}
