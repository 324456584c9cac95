/** Notes on the desktop: a click shows what they are about, a button mends it. */
import type { Notification } from 'electron';
import type { Fix } from '../src/api/model/status.ts';
import type { Note } from '../src/api/shell.ts';
import type { ElectronModules } from './electron.ts';
import type { Texts } from './texts/shape.ts';

export interface NotesOptions {
  readonly electron: Pick<ElectronModules, 'Notification'>;
  readonly icon: string | undefined;
  readonly texts: () => Texts;
  /** The note was clicked. */
  readonly onOpen: (fix: Fix | null) => void;
  /** Its button was. */
  readonly onFix: (fix: Fix) => void;
}

/** Older ones lose their buttons. */
const MOST_KEPT = 20;

export class Notes {
  readonly #o: NotesOptions;
  /** A notification that nobody holds is collected, and its click with it. */
  readonly #kept: Notification[] = [];

  constructor(o: NotesOptions) {
    this.#o = o;
  }

  show({ title, text, fix }: Note): void {
    const { electron, icon, texts, onOpen, onFix } = this.#o;
    if (!electron.Notification.isSupported()) return;
    const note = new electron.Notification({
      title,
      body: text,
      ...(icon === undefined ? {} : { icon }),
      ...(fix ? { actions: [{ type: 'button', text: texts().fix[fix.kind] }] } : {}),
    });
    note.on('click', () => onOpen(fix));
    if (fix) note.on('action', () => onFix(fix));
    note.on('close', () => this.#forget(note));
    this.#kept.push(note);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    note.show();
  }

  #forget(note: Notification): void {
    const at = this.#kept.indexOf(note);
    if (at >= 0) this.#kept.splice(at, 1);
  }
}
