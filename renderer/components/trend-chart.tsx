/** The free space of a destination over time, as a line and in words. */
import { Text } from '@mantine/core';
import type { SpaceSample } from '../../src/api/model/computer.ts';
import { useTrend } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { linePath, type Trend, trendOf } from './trend.ts';

const WIDTH = 320;
const HEIGHT = 48;

export function TrendChart({ destinationId }: { readonly destinationId: string }) {
  const { say } = useSpeech();
  const words = useTrendWords();
  const { data: samples } = useTrend(destinationId);
  if (!samples || samples.length === 0) return null;
  const text = words(trendOf(samples));
  return (
    <figure className="hf-trend">
      {samples.length > 1 && <Line samples={samples} name={`${say('trend.title')}: ${text}`} />}
      <figcaption>
        <Text size="sm" c="dimmed">
          {text}
        </Text>
      </figcaption>
    </figure>
  );
}

function Line({ samples, name }: { readonly samples: readonly SpaceSample[]; readonly name: string }) {
  const { say, format } = useSpeech();
  const line = linePath(samples, WIDTH, HEIGHT);
  const range = say('trend.range', {
    from: format.date(samples[0]?.at ?? 0),
    to: format.date(samples.at(-1)?.at ?? 0),
  });
  return (
    <svg
      role="img"
      aria-label={`${name} (${range})`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="hf-trend-line"
    >
      <path className="hf-trend-area" d={`${line}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`} />
      <path className="hf-trend-stroke" d={line} />
    </svg>
  );
}

function useTrendWords(): (trend: Trend) => string {
  const { say, format } = useSpeech();
  return (trend) => {
    switch (trend.kind) {
      case 'few':
        return say('trend.few');
      case 'steady':
        return say('trend.steady');
      case 'rises':
        return say('trend.rises', { bytes: format.bytes(trend.bytesPerWeek) });
      case 'falls': {
        const falls = say('trend.falls', { bytes: format.bytes(trend.bytesPerWeek) });
        const full = trend.weeks === null ? say('trend.far') : say('trend.full', { weeks: trend.weeks });
        return `${falls} ${full}`;
      }
    }
  };
}
