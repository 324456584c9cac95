/** A real host over a folder of its own, by a clock that a test moves or by the system's, and what it said. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { HostEvent } from '../../src/api/model/event.ts';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import { type Host, type HostOptions, openHost } from '../../src/host/host.ts';
import type { Client } from '../../src/transport/client.ts';
import type { Temp } from './temp.ts';

export class RealHost {
  /** Everything lies in it: the data folder, sources, repositories. */
  readonly home: string;
  readonly data: string;
  readonly log: string[] = [];
  readonly events: HostEvent[] = [];
  readonly #options: Partial<HostOptions>;
  #host: Host | undefined;
  #hearing: Promise<void> | undefined;

  constructor(temp: Temp, options: Partial<HostOptions> = {}) {
    this.home = fs.realpathSync(temp.dir('host'));
    this.data = options.dataDir ?? join(this.home, 'data');
    this.#options = options;
  }

  get host(): Host {
    if (!this.#host) throw new Error('the host is not open');
    return this.#host;
  }

  get client(): Client {
    return this.host.client;
  }

  async open(options: Partial<HostOptions> = {}): Promise<this> {
    this.#host = await openHost({
      dataDir: this.data,
      version: '0.0.0-test',
      mode: 'alone',
      random: () => 0,
      env: { PATH: process.env.PATH },
      log: (level, text) => this.log.push(`${level}: ${text}`),
      ...this.#options,
      ...options,
    });
    const events = await this.client.system.events();
    this.#hearing = (async () => {
      for await (const event of events) this.events.push(event);
    })();
    return this;
  }

  async close(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    await host?.close();
    await this.#hearing;
  }

  /** Files of a folder of the home, made where it is not there. */
  write(folder: string, files: Readonly<Record<string, string | Buffer>>): string {
    const at = join(this.home, folder);
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(join(at, name, '..'), { recursive: true });
      fs.writeFileSync(join(at, name), content);
    }
    return at;
  }

  /** The run as it ended. */
  async ended(started: Pick<Run, 'id'>): Promise<Run> {
    for (;;) {
      const run = await this.client.runs.get({ id: started.id });
      if (ENDED.includes(run.state)) return run;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Until it holds; the test's own timeout is the bound. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Nothing is under way any more. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 3; calm = this.host.busy ? 0 : calm + 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Every byte below a folder, for searching. */
  static bytesBelow(folder: string): Buffer {
    const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
    return Buffer.concat(
      files.filter((f) => f.isFile()).map((f) => fs.readFileSync(join(f.parentPath, f.name))),
    );
  }
}
