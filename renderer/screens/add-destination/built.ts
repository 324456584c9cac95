/** What a storage's form comes to. */
import type { Login, StorageOptions } from '../../../src/api/model/destination.ts';
import type { MessageKey } from '../../i18n/en.ts';

export interface Place {
  readonly location: string;
  readonly options: StorageOptions;
  /** Absent: nothing was typed that lets us in. */
  readonly login?: Login;
  readonly signInId?: string;
}

/** What is still to be typed, as a sentence. */
export interface Missing {
  readonly missing: MessageKey;
}
