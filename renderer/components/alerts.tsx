/** Alerts as rows: how grave, what, since when, and the way to the run it came from. */
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconInfoCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import { Link } from 'wouter';
import type { Alert, AlertKind } from '../../src/api/model/alert.ts';
import { useAlerts } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { beyondVerdict } from './alert-facts.ts';
import { Moment, Panel, type Tone } from './parts.tsx';

/** How grave each is while it holds. */
const TONES: Readonly<Record<AlertKind, readonly [Tone, TablerIcon]>> = {
  'run-failed': ['bad', IconCircleX],
  'run-warnings': ['fair', IconAlertTriangle],
  'run-succeeded': ['good', IconCircleCheck],
  'no-backup': ['bad', IconAlertTriangle],
  'space-low': ['fair', IconAlertTriangle],
  'check-failed': ['bad', IconCircleX],
  'destination-unreachable': ['fair', IconAlertTriangle],
};

export function AlertRows({ alerts, label }: { readonly alerts: readonly Alert[]; readonly label: string }) {
  if (alerts.length === 0) return null;
  return (
    <ul className="hf-alerts" aria-label={label}>
      {alerts.map((alert) => (
        <AlertRow key={alert.id} alert={alert} />
      ))}
    </ul>
  );
}

function AlertRow({ alert }: { readonly alert: Alert }) {
  const { say, language } = useSpeech();
  const over = alert.endedAt !== null;
  const [tone, graveIcon] = TONES[alert.kind];
  const Icon = over && tone !== 'good' ? IconInfoCircle : graveIcon;
  return (
    <li data-tone={over && tone !== 'good' ? 'plain' : tone}>
      <Icon size={20} stroke={1.7} aria-hidden />
      <div>
        <strong>{alert.title}</strong>
        {language !== 'en' && <div className="hf-dim">{say(`alert.${alert.kind}`)}</div>}
        <div className="hf-dim hf-alert-text">{alert.text}</div>
        <div className="hf-dim">
          <Moment at={alert.startedAt} />
          {alert.endedAt !== null && alert.endedAt > alert.startedAt && (
            <>
              {' · '}
              {say('alert.over')} <Moment at={alert.endedAt} />
            </>
          )}
          {alert.runId !== null && (
            <>
              {' · '}
              <Link href={`/activity/${alert.runId}`}>{say('fix.open-run')}</Link>
            </>
          )}
        </div>
      </div>
    </li>
  );
}

/** Of Home, below the reasons. */
export function FurtherAlerts() {
  const { say } = useSpeech();
  const { data: alerts } = useAlerts();
  const further = beyondVerdict(alerts ?? []);
  if (further.length === 0) return null;
  return (
    <Panel title={say('alert.more')}>
      <AlertRows alerts={further} label={say('alert.more')} />
    </Panel>
  );
}
