/**
 * The written side of one run: its state in the store, its log, its problems, and the events that tell of them.
 *
 * Everything that goes into the log passes the redaction first: what a command prints may hold a password.
 *
 * Once a run is on record, a store that can't be written (a full disk, say) harms it no more: a backup is worth more than the
 * notes about it. Who listens hears everything all the same.
 */
import type { EngineError } from '../api/errors.ts';
import type { LogLine, Phase, Progress, Run } from '../api/model/run.ts';
import type { RunPorts } from './ports.ts';
import { idle, progressOf, RateMeter, type Sample, sampleUntil } from './progress.ts';

type DiaryPorts = Pick<RunPorts, 'store' | 'emit' | 'clock'>;

export class RunDiary {
  readonly #ports: DiaryPorts;
  readonly #meter = new RateMeter();
  readonly #sampling = new AbortController();
  #run: Run;
  #sample: () => Sample = () => idle('starting', '');
  #shown = '';
  #warnings = 0;
  #written = false;
  /** Replaces secrets in a text. */
  redact: (text: string) => string = (text) => text;

  constructor(ports: DiaryPorts, run: Run) {
    this.#ports = ports;
    this.#run = run;
  }

  get run(): Run {
    return this.#run;
  }

  /** Problems and failed hooks: any makes a run end with warnings. */
  get warnings(): number {
    return this.#warnings;
  }

  /** Puts the run on record. Errors: the store's. */
  begin(): void {
    this.#ports.store.runs.put(this.#run);
    this.#written = true;
    this.#ports.emit({ kind: 'run', run: this.#run });
  }

  change(fields: Partial<Run>): void {
    this.#run = { ...this.#run, ...fields };
    this.#written = false;
    this.write();
    this.#ports.emit({ kind: 'run', run: this.#run });
  }

  /** Stores the run as it is now; false: that can't be done. */
  write(): boolean {
    this.#written ||= stored(() => this.#ports.store.runs.put(this.#run));
    return this.#written;
  }

  log(level: LogLine['level'], text: string): void {
    const line: LogLine = { at: this.#ports.clock.now(), level, text: this.redact(text) };
    stored(() => this.#ports.store.runs.addLog(this.#run.id, line));
    this.#ports.emit({ kind: 'log', runId: this.#run.id, line });
  }

  readonly info = (text: string): void => this.log('info', text);
  readonly warn = (text: string): void => this.log('warning', text);

  /** Something could not be done, though the rest was. */
  problem(path: string, error: EngineError): void {
    const wire = error.toWire();
    this.#warnings++;
    const shown = { ...wire, message: this.redact(wire.message) };
    stored(() => this.#ports.store.runs.addProblem(this.#run.id, { path, error: shown }));
    this.#run = { ...this.#run, problemCount: this.#run.problemCount + 1 };
  }

  /** From now on this tells how far the run is. */
  show(sample: () => Sample): void {
    this.#sample = sample;
  }

  phase(code: Phase, sentence: string): void {
    this.show(() => idle(code, sentence));
  }

  startSampling(): void {
    void sampleUntil(this.#ports.clock, this.#sampling.signal, () => this.#take());
  }

  stopSampling(): void {
    this.#sampling.abort();
  }

  #take(): void {
    const sample = this.#sample();
    const rate = this.#meter.add(this.#ports.clock.now(), sample.bytesDone);
    const progress: Progress = progressOf(sample, rate, this.#run.problemCount);
    this.#run = { ...this.#run, progress };
    const shown = JSON.stringify(progress);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#ports.emit({ kind: 'progress', runId: this.#run.id, progress });
  }
}

function stored(write: () => void): boolean {
  try {
    write();
    return true;
  } catch {
    return false;
  }
}
