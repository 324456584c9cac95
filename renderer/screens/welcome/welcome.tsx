/**
 * From the first start to the first running backup: What → Where → When → Review, each with a good answer filled in.
 *
 * draft    what the person has said; what they have not said is as proposed
 * started  what came of it: a destination, a plan, and its first run
 */
import { Title } from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { Page, ThrownNote } from '../../components/parts.tsx';
import { Wizard } from '../../components/wizard.tsx';
import { useDestinations, useDisks, useSuggestions } from '../../data/host.tsx';
import type { Say } from '../../i18n/languages.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { newDraft } from '../plan-wizard/draft.ts';
import { usePreview } from '../plan-wizard/preview.ts';
import { dismissWelcome } from './dismissed.ts';
import {
  cautionsOf,
  EMPTY,
  freeAt,
  missingPlace,
  newLocation,
  type PlaceOption,
  placeOptions,
  type WelcomeDraft,
} from './draft.ts';
import { usePlaceTest } from './place-test.ts';
import { Places } from './places.tsx';
import { Review } from './review.tsx';
import { RhythmChoice } from './rhythm.tsx';
import { Sources } from './sources.tsx';
import { useStart } from './start.ts';
import { StartedPage } from './started.tsx';
import { useSteps } from './steps.ts';

export function WelcomeScreen() {
  const { say } = useSpeech();
  const [, go] = useLocation();
  const [draft, setDraft] = useState<WelcomeDraft>(EMPTY);
  const choice = useChoice(draft);
  const start = useStart();
  const steps = useWelcomeSteps(choice, draft, setDraft);
  const move = useSteps(steps, choice.state.isTesting);
  if (start.started) return <StartedPage started={start.started} onDone={() => go('/')} />;
  return (
    <Page
      title={say('welcome.title')}
      heading={
        <div className="hf-welcome-head">
          <Title order={1}>{say('welcome.title')}</Title>
          <p className="hf-lead">{say('welcome.text')}</p>
        </div>
      }
    >
      <ThrownNote error={start.error} />
      <Wizard
        label={say('welcome.title')}
        steps={steps}
        at={move.at}
        onGo={(step) => {
          // What was proposed is agreed to by going on: a disk that comes later must not change it.
          const place = move.at > 0 ? { place: choice.option.key } : {};
          setDraft({ ...draft, sources: choice.sources, ...place });
          move.go(step);
        }}
        onCancel={() => {
          dismissWelcome();
          go('/');
        }}
        cancelName={say('welcome.later')}
        showMissing={move.tried}
        onMissing={move.tryAnyway}
        finish={{
          name: say('welcome.start'),
          busy: start.isPending,
          onFinish: () => start.run({ ...choice, rhythm: draft.rhythm, password: draft.password }),
        }}
      />
    </Page>
  );
}

const RULES = newDraft('').input.rules;

/** The draft with what is proposed filled in, and what is known of it. */
function useChoice(draft: WelcomeDraft) {
  const suggestions = useSuggestions();
  const { data: destinations = [] } = useDestinations();
  const { data: disks = [] } = useDisks();
  const suggested = suggestions.data?.sources ?? [];
  const sources = draft.sources ?? suggested.map(({ path }) => path);
  const options = placeOptions(suggestions.data, destinations);
  const option = options.find(({ key }) => key === draft.place) ?? options[0] ?? OTHER;
  const state = usePlaceTest(newLocation(option, draft.otherPath), draft.password);
  const counted = usePreview(
    sources.map((path) => ({ kind: 'path', path })),
    RULES,
  );
  const location = option.kind === 'known' ? option.destination.location : (state.location ?? '');
  const cautions = cautionsOf({
    option,
    location,
    sources,
    bytes: counted.preview?.done ? counted.preview.bytes : undefined,
    free: freeAt(option, state.test),
    disks,
  });
  return { suggestions, suggested, sources, options, option, state, counted, location, cautions };
}

const OTHER: PlaceOption = { kind: 'other', key: 'other' };

type Choice = ReturnType<typeof useChoice>;

function useWelcomeSteps(choice: Choice, draft: WelcomeDraft, onChange: (draft: WelcomeDraft) => void) {
  const { say } = useSpeech();
  const { option, state, cautions } = choice;
  const set = (change: Partial<WelcomeDraft>) => onChange({ ...draft, ...change });
  const missing = missingPlace(state);
  return [
    {
      name: say('wizard.what'),
      title: say('welcome.what'),
      text: say(choice.suggested.length > 0 ? 'welcome.what.text' : 'welcome.what.none'),
      missing: choice.sources.length === 0 ? say('wizard.what.empty') : undefined,
      content: (
        <Sources
          suggested={choice.suggested}
          isPending={choice.suggestions.isPending}
          chosen={choice.sources}
          counted={choice.counted}
          onChange={(sources) => set({ sources })}
        />
      ),
    },
    {
      name: say('wizard.where'),
      title: say('wizard.where.title'),
      text: say('welcome.where.text'),
      missing: missing && say(missing),
      content: (
        <Places
          options={choice.options}
          chosen={option}
          otherPath={draft.otherPath}
          state={state}
          cautions={cautions}
          onChoose={(place) => set({ place, password: '' })}
          onOtherPath={(otherPath) => set({ otherPath, password: '' })}
          onPassword={(password) => set({ password })}
          onAdded={({ id, readOnly }) => readOnly || set({ place: id, password: '' })}
        />
      ),
    },
    {
      name: say('wizard.when'),
      title: say('welcome.when'),
      text: say('welcome.when.text'),
      content: <RhythmChoice chosen={draft.rhythm} onChoose={(rhythm) => set({ rhythm })} />,
    },
    {
      name: say('wizard.review'),
      title: say('wizard.review.title'),
      text: say('wizard.review.text'),
      missing: missing && say(missing),
      content: (
        <Review
          sources={choice.sources}
          counted={choice.counted}
          place={placeText(say, option, choice.location)}
          rhythm={draft.rhythm}
          makesKey={state.test?.repository === false}
          cautions={cautions}
        />
      ),
    },
  ];
}

function placeText(say: Say, option: PlaceOption, location: string): string {
  switch (option.kind) {
    case 'known':
      return option.destination.embedded ? say('welcome.where.embedded') : option.destination.name;
    case 'disk':
      return `${option.disk.name}: ${location}`;
    case 'other':
      return location;
  }
}
