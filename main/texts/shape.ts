/** What the shell says to people. A language is one file that is a `Texts`; the compiler finds what it lacks. */
import type { Fix } from '../../src/api/model/status.ts';
import type { SCREENS } from '../../src/api/shell.ts';

export interface Texts {
  /** For `Intl`. */
  readonly locale: string;
  readonly open: string;
  readonly quit: string;
  readonly backUpNow: string;
  readonly allPlans: string;
  readonly restoreFiles: string;
  readonly pause: string;
  readonly pauseHour: string;
  readonly pauseTomorrow: string;
  readonly pauseOpen: string;
  readonly resume: string;
  readonly starting: string;
  readonly restarting: string;
  readonly hostFailed: string;
  readonly paused: string;
  pausedUntil(time: string): string;
  /** `percent`: 0 to 100, null while it is not known. */
  running(percent: number | null): string;
  readonly protected: string;
  protectedSince(time: string): string;
  readonly attention: string;
  readonly notProtected: string;
  readonly fix: Readonly<Record<Fix['kind'], string>>;
  readonly screens: Readonly<Record<(typeof SCREENS)[number], string>>;
  readonly menu: Readonly<Record<'file' | 'edit' | 'view' | 'window' | 'help' | 'close', string>>;
  readonly quitQuestion: string;
  readonly quitDetail: string;
  readonly quitStay: string;
  readonly quitAnyway: string;
  readonly notStarted: string;
  readonly chooseFolder: string;
  readonly chooseFile: string;
  readonly save: string;
}
