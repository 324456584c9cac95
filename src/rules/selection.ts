/** The rules as the archiver asks for them. */
import type { Selection } from '../archiver/archiver.ts';
import { describeDecision, type RuleSet } from './rule-set.ts';

/**
 * The reasons it gives name the rule, a preset's with the preset's name before it. By name it answers only where
 * the kind of the file makes no difference, so that what nobody may look at can be left out all the same.
 */
export function selectionOf(rules: RuleSet): Selection {
  return {
    byName(path) {
      const decision = rules.decideByName(path);
      return decision && describeDecision(decision);
    },
    byStat(path, stat) {
      const decision = rules.decide(path, stat);
      return decision.included ? undefined : describeDecision(decision);
    },
  };
}
