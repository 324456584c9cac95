/** How the rate of a run has gone while somebody looked: a curve beside the number, which says the same in words. */
import { useEffect, useState } from 'react';
import type { Progress } from '../../src/api/model/run.ts';
import { areaPath } from './scale.ts';

/** Some come each second. */
const MOST_SAMPLES = 240;
const FEWEST = 8;
const WIDTH = 240;
const HEIGHT = 40;

export function RateLine({ progress }: { readonly progress: Progress }) {
  const [rates, setRates] = useState<readonly number[]>([]);
  useEffect(() => {
    setRates((all) => [...all.slice(1 - MOST_SAMPLES), progress.bytesPerSecond]);
  }, [progress]);
  if (rates.length < FEWEST) return null;
  return (
    <svg
      className="hf-rate-line"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={areaPath(rates, WIDTH, HEIGHT)} />
    </svg>
  );
}
