/**
 * Loaded before the host's entry in a child process of Node, it gives the process what Electron's utility processes have:
 * `process.parentPort`, to which message ports can be sent. Their messages come and go over the child's own channel.
 */
import { EventEmitter } from 'node:events';
import process from 'node:process';

/** What goes over the channel, both ways. */
export type Relayed =
  | { readonly kind: 'message'; readonly data: unknown; readonly ports: readonly number[] }
  | { readonly kind: 'port'; readonly nr: number; readonly data: unknown }
  | { readonly kind: 'port-closed'; readonly nr: number }
  | { readonly kind: 'slept'; readonly ms: number };

/** The far end of a port, in the shape that Electron gives them. */
class RelayedPort extends EventEmitter {
  readonly #nr: number;
  readonly #waiting: unknown[] = [];
  #started = false;

  constructor(nr: number) {
    super();
    this.#nr = nr;
  }

  start(): void {
    this.#started = true;
    for (const data of this.#waiting.splice(0)) this.emit('message', { data, ports: [] });
  }

  /** As with a real port, what comes before `start` waits. */
  arrive(data: unknown): void {
    if (this.#started) this.emit('message', { data, ports: [] });
    else this.#waiting.push(data);
  }

  postMessage(data: unknown): void {
    send({ kind: 'port', nr: this.#nr, data });
  }

  close(): void {
    send({ kind: 'port-closed', nr: this.#nr });
    this.emit('close');
  }
}

function send(message: Relayed): void {
  if (process.connected) process.send?.(message);
}

const parentPort = Object.assign(new EventEmitter(), {
  postMessage: (data: unknown) => send({ kind: 'message', data, ports: [] }),
});
const ports = new Map<number, RelayedPort>();

process.on('message', (message: Relayed) => {
  if (message.kind === 'port') return void ports.get(message.nr)?.arrive(message.data);
  if (message.kind === 'slept') return sleepThrough(message.ms);
  if (message.kind === 'port-closed') return void ports.get(message.nr)?.emit('close');
  for (const nr of message.ports) ports.set(nr, new RelayedPort(nr));
  parentPort.emit('message', { data: message.data, ports: message.ports.map((nr) => ports.get(nr)) });
});
/** The host asks for the time by `Date.now` alone. */
function sleepThrough(ms: number): void {
  const before = Date.now.bind(Date);
  Date.now = () => before() + ms;
}

// An end of the parent is an end of the app.
process.on('disconnect', () => process.exit(1));
Object.assign(process, { parentPort });
