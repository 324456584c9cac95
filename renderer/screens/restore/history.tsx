/** A file's states over all versions, newest first. */
import { Button, Text } from '@mantine/core';
import type { Version } from '../../../src/api/model/destination.ts';
import type { FileInVersion, Span } from '../../../src/api/model/look.ts';
import { ThrownNote, ToneBadge } from '../../components/parts.tsx';
import { useTimeline } from '../../data/versions.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { changeDraft, type Go } from './draft.ts';
import { only } from './selection.ts';
import { Loading } from './side-parts.tsx';

export function History(props: { readonly file: FileInVersion; readonly version: Version; readonly go: Go }) {
  const { say } = useSpeech();
  const { data, error, isPending } = useTimeline(props.file);
  if (error) return <ThrownNote error={error} />;
  if (isPending) return <Loading />;
  const { spans, catalog } = data;
  const { at } = props.version;
  return (
    <>
      {catalog.problem !== null && (
        <Text size="sm">{say('restore.catalog.problem', { problem: catalog.problem })}</Text>
      )}
      {catalog.done < catalog.total && catalog.problem === null && (
        <Text size="sm" c="dimmed" role="status">
          {say('restore.catalog', { done: catalog.done, total: catalog.total })}
        </Text>
      )}
      {spans.length === 0 && catalog.done >= catalog.total && (
        <Text size="sm" c="dimmed">
          {say('restore.history.none')}
        </Text>
      )}
      <ol className="hf-history" aria-label={say('restore.history')}>
        {spans.map((span) => (
          <State
            key={span.last.versionId}
            span={span}
            isShown={span.first.at <= at && at <= span.last.at}
            onTake={() => {
              changeDraft({ selection: only(span.entry), reveal: span.entry.path });
              props.go({ versionId: span.last.versionId, step: 'files' });
            }}
          />
        ))}
      </ol>
    </>
  );
}

function State(props: { readonly span: Span; readonly isShown: boolean; readonly onTake: () => void }) {
  const { say, format } = useSpeech();
  const { first, last, versions, entry } = props.span;
  const when =
    versions === 1
      ? format.short(last.at)
      : say('restore.history.range', { first: format.short(first.at), last: format.short(last.at) });
  return (
    <li data-shown={props.isShown || undefined}>
      <div>
        <strong>{when}</strong>
        <Text size="sm" c="dimmed">
          {[
            ...(entry.bytes === null ? [] : [format.bytes(entry.bytes)]),
            ...(versions === 1 ? [] : [say('restore.calendar.versions', { count: versions })]),
          ].join(' · ')}
        </Text>
        {entry.modifiedAt !== null && (
          <Text size="sm" c="dimmed">
            {say('restore.history.modified', { date: format.short(entry.modifiedAt) })}
          </Text>
        )}
      </div>
      {props.isShown ? (
        <ToneBadge tone="busy">{say('restore.history.shown')}</ToneBadge>
      ) : (
        <Button
          size="xs"
          variant="light"
          aria-label={`${say('restore.history.take')}: ${when}`}
          onClick={props.onTake}
        >
          {say('restore.history.take')}
        </Button>
      )}
    </li>
  );
}
