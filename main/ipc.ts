/** Calls from the window. Only the window itself may make them, and only with what fits. */
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { z } from 'zod';
import { messageOf } from '../src/api/errors.ts';
import { isOwnFrame } from './address.ts';
import type { Answer } from './channels.ts';
import type { ElectronModules, Log } from './electron.ts';

type Event = Pick<IpcMainEvent | IpcMainInvokeEvent, 'senderFrame' | 'sender'>;

export class Ipc {
  readonly #ipcMain: ElectronModules['ipcMain'];
  readonly #log: Log;

  constructor({ ipcMain }: Pick<ElectronModules, 'ipcMain'>, log: Log) {
    this.#ipcMain = ipcMain;
    this.#log = log;
  }

  /** Answers calls of the window. What `work` fails with is a sentence that the window shows. */
  handle<S extends z.ZodType>(channel: string, schema: S, work: (input: z.output<S>) => unknown): void {
    this.#ipcMain.handle(channel, async (event, raw: unknown): Promise<Answer> => {
      if (!this.#trusts(event, channel)) return { ok: false, message: 'Not allowed.' };
      const { data, success, error } = schema.safeParse(raw);
      if (!success) return { ok: false, message: `Not acceptable: ${z.prettifyError(error)}` };
      try {
        return { ok: true, value: await work(data) };
      } catch (e) {
        return { ok: false, message: messageOf(e) };
      }
    });
  }

  /** Hears the window say something that needs no answer. */
  on(channel: string, work: (message: unknown) => void): void {
    this.#ipcMain.on(channel, (event, message: unknown) => {
      if (this.#trusts(event, channel)) work(message);
    });
  }

  #trusts(event: Event, channel: string): boolean {
    const { senderFrame, sender } = event;
    const own = isOwnFrame(senderFrame) && senderFrame === sender.mainFrame;
    if (!own) this.#log('warning', `A call of ${channel} from a foreign frame was refused.`);
    return own;
  }
}
