/** Small parts of several screens. */
import { Alert, Badge, Button, Group, Modal, Text, Title, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconLoader2,
  IconPlayerStop,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useSyncExternalStore } from 'react';
import type { WireError } from '../../src/api/errors.ts';
import type { RunState } from '../../src/api/model/run.ts';
import { titlePage } from '../data/title.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { type ErrorWords, errorWords, thrownWords } from './words.ts';

/** A screen: its heading, what can be done on it, and its content. */
export function Page(props: {
  readonly title: string;
  /** Instead of the title as heading, where the screen has its own. */
  readonly heading?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  useEffect(() => titlePage(props.title), [props.title]);
  return (
    <div className="hf-page">
      {props.heading ?? (
        <div className="hf-page-head">
          <Title order={1}>{props.title}</Title>
          {props.actions && <Group gap="sm">{props.actions}</Group>}
        </div>
      )}
      {props.children}
    </div>
  );
}

export function Panel(props: {
  readonly title?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <section className={`hf-panel ${props.className ?? ''}`} aria-label={props.title}>
      {props.title !== undefined && (
        <div className="hf-panel-head">
          <Title order={2}>{props.title}</Title>
          {props.actions}
        </div>
      )}
      {props.children}
    </section>
  );
}

const TICK = 15_000;
let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watchClock(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of watchers) one();
  }, TICK);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, to within some seconds; one timer moves everything that shows it. */
export function useNow(): number {
  return useSyncExternalStore(watchClock, () => now);
}

/** A moment relative to now; the exact one on hover and focus. */
export function Moment({ at }: { readonly at: number }) {
  const { format } = useSpeech();
  const shown = Math.max(useNow(), Date.now());
  return (
    <Tooltip label={format.exact(at)}>
      <time dateTime={new Date(at).toISOString()}>{format.relative(at, shown)}</time>
    </Tooltip>
  );
}

export type Tone = 'good' | 'fair' | 'bad' | 'busy' | 'plain';

const RUN_TONES: Readonly<Record<RunState, readonly [Tone, TablerIcon]>> = {
  queued: ['plain', IconClock],
  running: ['busy', IconLoader2],
  succeeded: ['good', IconCircleCheck],
  warnings: ['fair', IconAlertTriangle],
  failed: ['bad', IconCircleX],
  cancelled: ['plain', IconPlayerStop],
  interrupted: ['fair', IconAlertTriangle],
};

export function RunStateBadge({ state }: { readonly state: RunState }) {
  const { say } = useSpeech();
  const [tone, Icon] = RUN_TONES[state];
  return (
    <Badge className="hf-badge" data-tone={tone} leftSection={<Icon size={14} aria-hidden />}>
      {say(`run.state.${state}`)}
    </Badge>
  );
}

export function ToneBadge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <Badge className="hf-badge" data-tone={tone}>
      {children}
    </Badge>
  );
}

/** Where nothing is yet: what would be here, and how it gets here. */
export function EmptyState(props: {
  readonly icon: TablerIcon;
  readonly title: string;
  readonly text: string;
  readonly action?: ReactNode;
}) {
  const { icon: Icon } = props;
  return (
    <div className="hf-empty">
      <div className="hf-empty-icon">
        <Icon size={30} stroke={1.5} aria-hidden />
      </div>
      <Title order={2}>{props.title}</Title>
      <Text c="dimmed" maw={520}>
        {props.text}
      </Text>
      {props.action}
    </div>
  );
}

export function WordsNote({ words }: { readonly words: ErrorWords }) {
  return (
    <Alert
      className="hf-note"
      data-tone="bad"
      icon={<IconAlertTriangle size={20} aria-hidden />}
      title={words.title}
    >
      {words.detail !== undefined && <div>{words.detail}</div>}
      {words.hint !== undefined && <div>{words.hint}</div>}
    </Alert>
  );
}

/** An error that the host tells of. */
export function ErrorNote({ error }: { readonly error: WireError }) {
  const speech = useSpeech();
  return <WordsNote words={errorWords(speech, error)} />;
}

/** Whatever a call failed with; nothing where it did not. */
export function ThrownNote({ error }: { readonly error: unknown }) {
  const speech = useSpeech();
  return error ? <WordsNote words={thrownWords(speech, error)} /> : null;
}

/** Says things in the corner of the window. */
export function useTell() {
  const speech = useSpeech();
  const closeButtonProps = { 'aria-label': speech.say('common.close') };
  return {
    done: (message: string) => notifications.show({ message, color: 'teal', closeButtonProps }),
    failed: (e: unknown) => {
      const { title, detail, hint } = thrownWords(speech, e);
      notifications.show({
        title,
        message: [detail, hint].filter(Boolean).join(' '),
        color: 'red',
        closeButtonProps,
        autoClose: 10_000,
      });
    },
  };
}

/** Asks before something is taken away. */
export function Confirm(props: {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}) {
  const { say } = useSpeech();
  return (
    <Modal
      opened
      onClose={props.onNo}
      title={props.title}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <Text>{props.text}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={props.onNo}>
          {say('common.cancel')}
        </Button>
        <Button className="hf-danger" onClick={props.onYes} loading={props.busy}>
          {props.yes}
        </Button>
      </Group>
    </Modal>
  );
}

/** Names and values, as a list of definitions. */
export function Facts(props: {
  readonly facts: readonly (readonly [string, ReactNode])[];
  readonly className?: string;
}) {
  const { facts, className = 'hf-facts' } = props;
  return (
    <dl className={className}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
