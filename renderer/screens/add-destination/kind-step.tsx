/** The kinds of storages, as cards to choose from. */
import { Radio } from '@mantine/core';
import { kindIcon } from '../../components/kinds.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { STORAGE_KINDS, type StorageKind } from './place.ts';

export function KindStep(props: {
  /** All unless told. */
  readonly kinds?: readonly StorageKind[];
  readonly chosen: StorageKind;
  readonly onChoose: (kind: StorageKind) => void;
}) {
  const { say } = useSpeech();
  return (
    <Radio.Group aria-label={say('add.kind')} value={props.chosen}>
      <div className="hf-storages">
        {(props.kinds ?? STORAGE_KINDS).map((kind) => {
          const Icon = kindIcon(kind);
          return (
            <div key={kind} className="hf-choice hf-own" data-checked={kind === props.chosen || undefined}>
              <Icon size={30} stroke={1.4} aria-hidden />
              <Radio
                value={kind}
                label={say(`destinations.kind.${kind}`)}
                description={say(`add.kind.${kind}.text`)}
                onChange={() => props.onChoose(kind)}
              />
            </div>
          );
        })}
      </div>
    </Radio.Group>
  );
}
