/** Steps one after the other: which there are, where the person is, back and on. */
import { Button, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useEffect, useRef } from 'react';
import { useSpeech } from '../i18n/speech.tsx';

export interface Step {
  readonly name: string;
  readonly title: string;
  readonly text?: string;
  /** Why it can't go on yet, as a sentence; undefined: it can. Shown once the person has tried. */
  readonly missing?: string | undefined;
  readonly content: ReactNode;
}

export function Wizard(props: {
  readonly label: string;
  readonly steps: readonly Step[];
  readonly at: number;
  readonly onGo: (step: number) => void;
  readonly onCancel?: () => void;
  /** "Cancel" unless said otherwise. */
  readonly cancelName?: string;
  /** Of the last step. */
  readonly finish: { readonly name: string; readonly busy: boolean; readonly onFinish: () => void };
  /** The steps after this one may be entered at once: where something is changed, not made. */
  readonly free?: boolean;
  readonly showMissing: boolean;
  readonly onMissing: () => void;
}) {
  const { say } = useSpeech();
  const step = props.steps[props.at];
  const last = props.at === props.steps.length - 1;
  const heading = useHeadingFocus(props.at);
  if (!step) return null;
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    // A wizard in a dialog of another one: React's events rise through both.
    e.stopPropagation();
    if (step.missing !== undefined) return props.onMissing();
    if (last) props.finish.onFinish();
    else props.onGo(props.at + 1);
  };
  return (
    <form className="hf-wizard" aria-label={props.label} onSubmit={onSubmit} noValidate>
      <Steps {...props} />
      <div className="hf-panel hf-step">
        <div>
          <Title order={2} ref={heading} tabIndex={-1}>
            {step.title}
          </Title>
          {step.text !== undefined && <p className="hf-lead">{step.text}</p>}
        </div>
        {step.content}
        <div className="hf-step-foot">
          {step.missing !== undefined && props.showMissing && (
            <p role="alert" className="hf-missing">
              {step.missing}
            </p>
          )}
          {props.at > 0 && (
            <Button variant="default" onClick={() => props.onGo(props.at - 1)}>
              {say('common.back')}
            </Button>
          )}
          {props.at === 0 && props.onCancel && (
            <Button variant="default" onClick={props.onCancel}>
              {props.cancelName ?? say('common.cancel')}
            </Button>
          )}
          <Button type="submit" loading={last && props.finish.busy}>
            {last ? props.finish.name : say('common.next')}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** Whoever goes on hears where they are; not at the first look at the page. */
function useHeadingFocus(at: number) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(at);
  useEffect(() => {
    if (before.current !== at) heading.current?.focus();
    before.current = at;
  }, [at]);
  return heading;
}

function Steps(props: {
  readonly label: string;
  readonly steps: readonly Step[];
  readonly at: number;
  readonly onGo: (step: number) => void;
  readonly free?: boolean;
}) {
  const { say } = useSpeech();
  return (
    <nav aria-label={`${props.label}: ${say('wizard.steps')}`}>
      <ol className="hf-steps">
        {props.steps.map(({ name }, i) => (
          <li key={name}>
            <button
              type="button"
              disabled={i > props.at && props.free !== true}
              data-done={i < props.at || undefined}
              {...(i === props.at ? { 'aria-current': 'step' as const } : {})}
              onClick={() => props.onGo(i)}
            >
              <span className="hf-step-number" aria-hidden>
                {i < props.at ? <IconCheck size={15} /> : i + 1}
              </span>
              {name}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
