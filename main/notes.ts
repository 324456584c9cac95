/** Notes on the desktop: a click shows what they are about, a button mends it. */

import { randomUUID } from 'node:crypto';
import type { Notification } from 'electron';
import type { Fix } from '../src/api/model/status.ts';
import type { Note } from '../src/api/shell.ts';
import type { ElectronModules } from './electron.ts';
import type { Texts } from './texts/shape.ts';

export interface NotesOptions {
  readonly electron: Pick<ElectronModules, 'Notification'>;
  readonly platform: NodeJS.Platform;
  readonly icon: string | undefined;
  readonly texts: () => Texts;
  /** The note was clicked. null: it is about nothing that could be shown, or nobody knows any more what it was about. */
  readonly onOpen: (fix: Fix | null) => void;
  /** Its button was. */
  readonly onFix: (fix: Fix) => void;
}

/** Older ones lose their buttons. */
const MOST_KEPT = 20;

interface Kept {
  readonly id: string;
  readonly fix: Fix | null;
  /** undefined: it has closed, and lies in the action center of Windows perhaps. */
  note: Notification | undefined;
}

export class Notes {
  readonly #o: NotesOptions;
  /** A notification that nobody holds is collected, and its click with it. */
  readonly #kept: Kept[] = [];

  constructor(o: NotesOptions) {
    this.#o = o;
  }

  /**
   * Windows keeps notes in its action center after they have closed, and even when the program has quit, which a click starts
   * again. All clicks are told here, too; those of notes that are still shown are left to their own events.
   */
  start(): void {
    if (this.#o.platform !== 'win32') return;
    this.#o.electron.Notification.handleActivation(({ type, arguments: text }) => {
      const known = this.#kept.find(({ id }) => text.includes(id));
      if (known?.note) return;
      if (known?.fix && type === 'action') this.#o.onFix(known.fix);
      else this.#o.onOpen(known?.fix ?? null);
    });
  }

  show({ title, text, fix }: Note): void {
    const { electron, icon, texts, onOpen, onFix } = this.#o;
    if (!electron.Notification.isSupported()) return;
    const id = `holdfast-${randomUUID()}`;
    const note = new electron.Notification({
      id,
      title,
      body: text,
      ...(icon === undefined ? {} : { icon }),
      ...(fix ? { actions: [{ type: 'button', text: texts().fix[fix.kind] }] } : {}),
    });
    note.on('click', () => onOpen(fix));
    if (fix) note.on('action', () => onFix(fix));
    const kept: Kept = { id, fix, note };
    note.on('close', () => {
      kept.note = undefined;
    });
    this.#kept.push(kept);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    note.show();
  }
}
