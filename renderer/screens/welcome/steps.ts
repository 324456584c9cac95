/** Where the person is, and going on once what they wait for is known. */
import { useEffect, useEffectEvent, useState } from 'react';
import type { Step } from '../../components/wizard.tsx';

export interface Move {
  readonly at: number;
  /** They wanted to go on although something was missing. */
  readonly tried: boolean;
  go(step: number): void;
  tryAnyway(): void;
}

/** `isTesting`: what is missing may turn out not to be in a moment; whoever has asked to go on then does. */
export function useSteps(steps: readonly Step[], isTesting: boolean): Move {
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  const [waits, setWaits] = useState(false);
  const go = (step: number) => {
    setTried(false);
    setWaits(false);
    setAt(step);
  };
  const onTested = useEffectEvent(() => {
    if (steps[at]?.missing === undefined && at + 1 < steps.length) go(at + 1);
    else setWaits(false);
  });
  useEffect(() => {
    if (waits && !isTesting) onTested();
  }, [waits, isTesting]);
  return {
    at,
    tried,
    go,
    tryAnyway: () => {
      setTried(true);
      setWaits(isTesting);
    },
  };
}
