/** What: the person's own folders, checked, and whatever else there is. */
import { Checkbox, Skeleton, Text } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconDeviceTv,
  IconDownload,
  IconFileText,
  IconMusic,
  IconPhoto,
  type TablerIcon,
} from '@tabler/icons-react';
import type { OWN_FOLDERS, Suggestions } from '../../../src/api/model/computer.ts';
import type { MessageKey } from '../../i18n/en.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import type { Counted } from '../plan-wizard/preview.ts';
import { AddSource, Count, SourceRow } from '../plan-wizard/what-step.tsx';

type Own = (typeof OWN_FOLDERS)[number];

const OWN: Readonly<Record<Own, readonly [MessageKey, TablerIcon]>> = {
  documents: ['welcome.own.documents', IconFileText],
  pictures: ['welcome.own.pictures', IconPhoto],
  desktop: ['welcome.own.desktop', IconDeviceDesktop],
  music: ['welcome.own.music', IconMusic],
  videos: ['welcome.own.videos', IconDeviceTv],
  downloads: ['welcome.own.downloads', IconDownload],
};

export function Sources(props: {
  readonly suggested: Suggestions['sources'];
  readonly isPending: boolean;
  readonly chosen: readonly string[];
  readonly counted: Counted;
  readonly onChange: (paths: readonly string[]) => void;
}) {
  const { say } = useSpeech();
  const { suggested, chosen, onChange } = props;
  const others = chosen.filter((path) => suggested.every((one) => one.path !== path));
  const without = (path: string) => onChange(chosen.filter((one) => one !== path));
  return (
    <>
      {props.isPending && <Skeleton height={130} radius="md" />}
      {suggested.length > 0 && (
        <fieldset className="hf-fieldset">
          <legend>{say('welcome.own')}</legend>
          <div className="hf-owns">
            {suggested.map(({ kind, path }) => (
              <OwnFolder
                key={path}
                kind={kind}
                path={path}
                checked={chosen.includes(path)}
                onChange={(on) => (on ? onChange([...chosen, path]) : without(path))}
              />
            ))}
          </div>
        </fieldset>
      )}
      <AddSource
        sources={chosen.map((path) => ({ kind: 'path', path }))}
        onAdd={(source) => source.kind === 'path' && onChange([...chosen, source.path])}
      />
      {others.length > 0 && (
        <ul className="hf-sources" aria-label={say('wizard.what.list')}>
          {others.map((path) => (
            <SourceRow key={path} source={{ kind: 'path', path }} onRemove={() => without(path)} />
          ))}
        </ul>
      )}
      <Count counted={props.counted} />
    </>
  );
}

function OwnFolder(props: {
  readonly kind: Own;
  readonly path: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const { say } = useSpeech();
  const [name, Icon] = OWN[props.kind];
  return (
    <div className="hf-choice hf-own" data-checked={props.checked || undefined}>
      <Icon size={24} stroke={1.5} aria-hidden />
      <Checkbox
        label={say(name)}
        description={
          <Text component="span" size="xs" className="hf-path">
            {props.path}
          </Text>
        }
        checked={props.checked}
        onChange={(e) => props.onChange(e.currentTarget.checked)}
      />
    </div>
  );
}
