/**
 * When to speak, and how.
 *
 * alert    a state of affairs (kind and subject) that somebody should know of. Told once when it begins and once when it is over
 *          (the recovery); never repeated, since "no backup for N days" is the reminder that matters. What happens in between
 *          only renews its text. The store keeps it, so that a restart tells nothing twice.
 * channel  a way to tell somebody. It hears of the kinds in its `on`, beginnings and recoveries alike
 * monitor  a channel to a dead man's switch: it hears of each backup's start and end, and of no alert
 * note     one message through a channel
 * moot     over without a word: the plan or destination is gone, or the rule was switched off
 */
import { assertNever, messageOf } from '../api/errors.ts';
import type { Run } from '../api/model/run.ts';
import type { AlertFacts } from './facts.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { pingText, runRecovered } from './messages.ts';
import type { AlertPorts } from './ports.ts';
import { beginningOf, disprovedBy, type Examined, examine, isOrphan } from './rules.ts';
import { createTeller, type News, type TestResult } from './teller.ts';

export interface Alerts {
  /** For monitors. Returns at once. */
  runStarted(run: Run, planName: string): void;
  /** Begins and ends alerts by how the run ended. Returns at once. */
  runEnded(run: Run): void;
  /** Begins and ends alerts by how plans and destinations stand; to be called every few minutes. Returns at once. */
  evaluate(facts: AlertFacts): void;
  /** Sends a message through the channel now, even one that is switched off. Errors: 'not-found', 'cancelled'. */
  test(channelId: string, o?: { readonly signal?: AbortSignal }): Promise<TestResult>;
  /** Resolves when no message is under way: all are told, given up, or wait to be tried again. */
  settled(): Promise<void>;
  /** Gives up what is not told yet; alerts that hold are told again after the next start. */
  close(): Promise<void>;
}

/** Tells at once what a channel may have missed before the last shutdown. */
export function createAlerts(ports: AlertPorts): Alerts {
  const teller = createTeller(ports);
  const ledger = createLedger(ports);
  try {
    teller.tellMissed();
  } catch (e) {
    // A diary that fails now may be well again when something happens.
    ports.log(`What a channel may have missed can't be told: ${messageOf(e)}`);
  }
  return {
    runStarted: (run, planName) => teller.ping(run, 'start', pingText({ ...run, planName })),
    runEnded(run) {
      if (run.state === 'succeeded' || run.state === 'warnings') teller.ping(run, 'success', pingText(run));
      if (run.state === 'failed') teller.ping(run, 'fail', pingText(run));
      const { good, bad } = newsOfRun(ledger, run, teller.wants('run-succeeded'));
      teller.tell(good);
      teller.tell(bad);
    },
    evaluate(facts) {
      for (const alert of ports.alerts.open()) if (isOrphan(alert, facts)) ledger.end(alert);
      for (const examined of examine(facts, ledger.find)) teller.tell(newsOfState(ledger, examined));
    },
    test: (channelId, o) => teller.test(channelId, o?.signal),
    settled: teller.settled,
    close: teller.close,
  };
}

function newsOfRun(
  ledger: Ledger,
  run: Run,
  successWanted: boolean,
): { readonly good: readonly News[]; readonly bad: readonly News[] } {
  const recoveries = disprovedBy(run).flatMap(([kind, subject]): readonly News[] => {
    const held = ledger.find(kind, subject);
    return held ? [{ event: 'recovery', alert: ledger.end(held), wording: runRecovered(held, run) }] : [];
  });
  const beginning = beginningOf(run);
  const good = beginning?.kind === 'run-succeeded';
  if (!beginning || (good && !successWanted)) return { good: recoveries, bad: [] };
  const alert = beginning.once ? ledger.once(beginning) : ledger.begin(beginning);
  const begun: readonly News[] = alert ? [{ event: 'alert', alert, wording: alert }] : [];
  return good ? { good: [...recoveries, ...begun], bad: [] } : { good: recoveries, bad: begun };
}

function newsOfState(ledger: Ledger, { kind, subject, held, finding }: Examined): readonly News[] {
  switch (finding.state) {
    case 'holds': {
      const alert = ledger.begin({ kind, subject, wording: finding.wording, runId: null });
      return alert ? [{ event: 'alert', alert, wording: alert }] : [];
    }
    case 'over':
      return held ? [{ event: 'recovery', alert: ledger.end(held), wording: finding.wording }] : [];
    case 'moot':
      if (held) ledger.end(held);
      return [];
    case 'unknown':
      return [];
    default:
      return assertNever(finding);
  }
}
