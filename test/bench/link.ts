/**
 * A line between two network namespaces with a delay and a width: packets go through this process, which holds each for as long
 * as they would travel. Real TCP on both ends, with its slow start and its windows; kernels without netem can do it too.
 *
 * width   bits per second in each direction; what comes faster queues, and what finds the queue full is dropped
 * queue   as much as travels in one round trip, and at least 256 KiB
 */

import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import koffi from 'koffi';

export interface LinkOptions {
  /** There and back, in milliseconds. */
  readonly roundTripMs: number;
  readonly bitsPerSecond: number;
}

export interface Link extends Disposable {
  /** The namespaces' names: `ip netns exec <name> …`. */
  readonly client: string;
  readonly server: string;
  /** Where the client finds the server. */
  readonly address: string;
}

const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;
const IFREQ_BYTES = 40;
/** Large, so that packets are few: each costs this process some tens of microseconds. */
const MTU = 9000;
const LEAST_QUEUE = 256 << 10;

/** As root, on Linux. Errors: the programs' and the system's. */
export function openLink(o: LinkOptions): Link {
  const tag = `hf${process.pid % 10_000}`;
  const ends = { client: end(`${tag}c`, '10.99.7.1'), server: end(`${tag}s`, '10.99.7.2') };
  const oneWay = { ...o, delayMs: o.roundTripMs / 2 };
  const stops = [
    carry(ends.client.fd, ends.server.fd, oneWay),
    carry(ends.server.fd, ends.client.fd, oneWay),
  ];
  return {
    client: ends.client.name,
    server: ends.server.name,
    address: '10.99.7.2',
    [Symbol.dispose]() {
      for (const stop of stops) stop();
      for (const { name, fd } of Object.values(ends)) {
        ip('netns', 'delete', name);
        fs.closeSync(fd);
      }
    },
  };
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function end(name: string, address: string): { readonly name: string; readonly fd: number } {
  const fd = openTun(name);
  ip('netns', 'add', name);
  ip('link', 'set', name, 'netns', name);
  const inside = (...args: readonly string[]) => ip('-n', name, ...args);
  inside('link', 'set', 'lo', 'up');
  inside('address', 'add', `${address}/24`, 'dev', name);
  inside('link', 'set', name, 'mtu', String(MTU), 'txqueuelen', '10', 'up');
  return { name, fd };
}

function openTun(name: string): number {
  const fd = fs.openSync('/dev/net/tun', fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN_NO_PI, 16);
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, void *)');
  if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`no tunnel device ${name}: are you root?`);
  return fd;
}

interface Travelling {
  readonly packet: Buffer;
  readonly arrives: number;
}

/** Moves packets from one end to the other until it is stopped. */
function carry(from: number, to: number, o: LinkOptions & { readonly delayMs: number }): () => void {
  const bytesPerMs = o.bitsPerSecond / 8000;
  const mostQueuedMs = Math.max((LEAST_QUEUE / bytesPerMs) | 0, o.roundTripMs);
  const road: Travelling[] = [];
  const buffer = Buffer.alloc(MTU + 100);
  let free = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const take = (): void => {
    const now = performance.now();
    for (let length = readOne(from, buffer); length > 0; length = readOne(from, buffer)) {
      const begins = Math.max(now, free);
      if (begins - now > mostQueuedMs) continue;
      free = begins + length / bytesPerMs;
      road.push({ packet: Buffer.from(buffer.subarray(0, length)), arrives: free + o.delayMs });
    }
  };
  const give = (): void => {
    const now = performance.now();
    let arrived = 0;
    for (const { packet, arrives } of road) {
      if (arrives > now) break;
      writeOne(to, packet);
      arrived++;
    }
    road.splice(0, arrived);
  };
  const turn = (): void => {
    if (stopped) return;
    take();
    give();
    timer = setTimeout(turn, 1);
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** 0: nothing is there. */
function readOne(fd: number, into: Buffer): number {
  try {
    return fs.readSync(fd, into);
  } catch (e) {
    if (e instanceof Error && 'code' in e && (e.code === 'EAGAIN' || e.code === 'EIO')) return 0;
    throw e;
  }
}

/** What the other end can't take is lost, as on any line. */
function writeOne(fd: number, packet: Buffer): void {
  try {
    fs.writeSync(fd, packet);
  } catch (e) {
    if (!(e instanceof Error && 'code' in e)) throw e;
  }
}
