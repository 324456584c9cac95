import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type EngineError, ERROR_CODES, type ErrorCode } from '../../src/api/errors.ts';
import { connectBrowserSocket } from '../../src/transport/browser.ts';
import type { Client } from '../../src/transport/client.ts';
import { httpClient, httpHandler } from '../../src/transport/http.ts';
import { serveInProcess } from '../../src/transport/in-process.ts';
import { messagePortClient, serveMessagePort } from '../../src/transport/message-port.ts';
import { pipeServer } from '../../src/transport/pipe-server.ts';
import type { MainPort } from '../../src/transport/port-pipe.ts';
import { connectSocket, connectWebSocket, webSocketPipe } from '../../src/transport/web-socket.ts';
import { useTemp } from '../helpers/scope.ts';
import {
  bigVersion,
  engineErrorOf,
  logEvent,
  previewOf,
  SECRET,
  type Toy,
  toy,
} from '../unit/transport/toy-router.ts';

interface Fixture {
  readonly client: Client;
  /** Cuts the connection; absent where there is none. */
  readonly cut?: () => void;
  readonly close: () => Promise<void> | void;
}

const temp = useTemp();
const RULES = { sources: [{ kind: 'path' as const, path: '/' }], rules: {} };
const preview = (client: Client, path: string, signal?: AbortSignal) =>
  client.plans.preview({ sources: [{ kind: 'path', path }], rules: {} }, { ...(signal && { signal }) });
const ID = '0b5d4a4e-6d53-4a7c-8d3c-0f4f3a6f0c11';

function transportContract(name: string, open: (toy: Toy) => Promise<Fixture>): void {
  describe(name, () => {
    const fixtures: Fixture[] = [];
    afterEach(async () => {
      for (const fixture of fixtures.splice(0)) await fixture.close();
    });
    const start = async () => {
      const made = toy();
      const fixture = await open(made);
      fixtures.push(fixture);
      return { ...made, ...fixture };
    };
    const failure = (promise: Promise<unknown>): Promise<EngineError> =>
      promise.then(
        () => expect.unreachable('it did not fail'),
        (e: EngineError) => e,
      );

    it('carries values whole, with the defaults of the schemas', async () => {
      const { client } = await start();
      const path = '/a "quoted"\n\\ \u{1F600} \u0000 \u2028 __proto__';
      const verdict = await client.plans.testRule({ ...RULES, rules: { lines: ['!ü/*'] }, path });
      expect(verdict).toEqual({
        path,
        included: true,
        rule: '!ü/*',
        origin: 'line',
        preset: null,
        matched: null,
      });
    });

    it('refuses an input that does not fit, naming the field', async () => {
      const { client, probe } = await start();
      // @ts-expect-error a number where a text belongs
      const error = await failure(client.destinations.test({ location: 7 }));
      expect(error).toMatchObject({ code: 'usage', context: { field: 'location' } });
      expect(error.message).toContain('location');
      // @ts-expect-error nothing at all
      expect(await failure(client.destinations.test())).toMatchObject({ code: 'usage' });
      expect(probe.calls).toBe(0);
    });

    it('refuses an answer that does not fit, without showing it', async () => {
      const { client, probe } = await start();
      const error = await failure(client.destinations.test({ location: 'bad answer' }));
      expect(error.code).toBe('internal');
      expect(JSON.stringify([error.message, error.context, error.hint])).not.toContain('hunter2');
      expect(probe.faults).toEqual([expect.stringMatching(/^destinations\.test: .*writable/)]);
      expect(probe.faults[0]).not.toContain('hunter2');
    });

    it.each(ERROR_CODES)('carries the error %s whole', async (code: ErrorCode) => {
      const { client } = await start();
      const error = await failure(client.destinations.test({ location: `error ${code}` }));
      expect(error.name).toBe('EngineError');
      expect(error.toWire()).toEqual(engineErrorOf(code).toWire());
    });

    it.each(['fault', 'wrapped fault'])('tells a %s to the log only', async (location) => {
      const { client, probe } = await start();
      const error = await failure(client.destinations.test({ location }));
      expect(error).toMatchObject({ code: 'internal', transient: false });
      expect(JSON.stringify([error.message, error.toWire(), String(error.cause)])).not.toContain('hunter2');
      expect(probe.faults).toEqual([`destinations.test: ${SECRET}`]);
    });

    it('hands an abort to the handler and ends the call at once', async () => {
      const { client, probe } = await start();
      const controller = new AbortController();
      const call = failure(client.destinations.test({ location: 'hang' }, { signal: controller.signal }));
      await probe.begun.promise;
      controller.abort();
      expect(await call).toMatchObject({ code: 'cancelled' });
      await probe.aborted.promise;
      expect(probe.faults).toEqual([]);
    });

    it('makes no call with a signal that has aborted', async () => {
      const { client, probe } = await start();
      const call = client.destinations.test({ location: 'x' }, { signal: AbortSignal.abort() });
      expect(await failure(call)).toMatchObject({ code: 'cancelled' });
      expect(probe.calls).toBe(0);
    });

    it('delivers a thousand events in order, then the end', async () => {
      const { client, probe } = await start();
      const got = [];
      for await (const one of await preview(client, '/count/1000')) got.push(one);
      expect(got).toEqual(Array.from({ length: 1000 }, (_, i) => previewOf(i)));
      await probe.left.promise;
    });

    it('tells the handler when a stream is left early', async () => {
      const { client, probe } = await start();
      for await (const one of await preview(client, '/endless')) if (one.files === 3) break;
      await probe.left.promise;
    });

    it('tells the handler when a stream is left while it is quiet', async () => {
      const { client, probe } = await start();
      const stream = await preview(client, '/quiet');
      await stream.next();
      const waiting = stream.next();
      await probe.begun.promise;
      await stream.return?.(undefined);
      await probe.aborted.promise;
      await probe.left.promise;
      expect(await waiting).toEqual({ done: true, value: undefined });
    });

    it('ends a quiet stream when its signal aborts', async () => {
      const { client, probe } = await start();
      const controller = new AbortController();
      const stream = await preview(client, '/quiet', controller.signal);
      await stream.next();
      const waiting = failure(stream.next());
      await probe.begun.promise;
      controller.abort();
      expect(await waiting).toMatchObject({ code: 'cancelled' });
      await probe.left.promise;
      expect(probe.faults).toEqual([]);
    });

    it('carries an error in the middle of a stream', async () => {
      const { client, probe } = await start();
      const stream = await preview(client, '/fails');
      await stream.next();
      const error = await failure(stream.next());
      expect(error.toWire()).toEqual(engineErrorOf('source-missing').toWire());
      expect(await stream.next()).toMatchObject({ done: true });
      const faulty = await preview(client, '/faults');
      await faulty.next();
      expect(await failure(faulty.next())).toMatchObject({ code: 'internal' });
      expect(probe.faults).toEqual([`plans.preview: ${SECRET}`]);
    });

    it('ends the subscription to events with the listener', async () => {
      const { client, hub, probe } = await start();
      const stream = await client.system.events();
      const first = stream.next();
      await probe.begun.promise;
      await turnsUntil(() => hub.listeners === 1);
      hub.publish(logEvent(ID, 'hello'));
      expect(await first).toEqual({ done: false, value: logEvent(ID, 'hello') });
      await stream.return?.(undefined);
      await turnsUntil(() => hub.listeners === 0);
    });

    it('carries five megabytes either way', async () => {
      const { client } = await start();
      expect(await client.versions.list({ destinationId: ID })).toEqual([bigVersion()]);
      const yaml = 'é'.repeat(3_000_000);
      expect(await client.config.import({ yaml })).toEqual({ created: yaml.length, updated: 0 });
    });

    it('answers many calls at once, each with its own', async () => {
      const { client } = await start();
      const paths = Array.from({ length: 100 }, (_, i) => `/p${i}`);
      const verdicts = await Promise.all(paths.map((path) => client.plans.testRule({ ...RULES, path })));
      expect(verdicts.map((verdict) => verdict.path)).toEqual(paths);
    });

    it('knows no other calls, whatever they are called', async () => {
      const { client, probe } = await start();
      const call = (...names: string[]): Promise<unknown> => {
        let at: unknown = client;
        for (const name of names) at = (at as Record<string, unknown>)[name];
        return (at as (input: unknown) => Promise<unknown>)({});
      };
      for (const names of [['nope'], ['plans', 'nope'], ['plans'], ['plans', 'testRule', 'more']]) {
        expect(await failure(call(...names))).toMatchObject({ code: 'unsupported' });
      }
      for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
        expect(await failure(call('plans', name))).toMatchObject({ code: 'unsupported' });
      }
      expect(probe.faults).toEqual([]);
    });

    it('is not moved by __proto__ keys', async () => {
      const { client } = await start();
      const passwords = JSON.parse('{"__proto__": "polluted", "constructor": "x", "a": "b"}');
      await client.config.import({ yaml: 'x', passwords }).catch(() => {});
      const rules = JSON.parse('{"__proto__": {"lines": ["x"]}, "lines": ["y"]}');
      const verdict = await client.plans.testRule({ ...RULES, rules, path: '/x' });
      expect(verdict.rule).toBe('y');
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect(({} as Record<string, unknown>).lines).toBeUndefined();
    });

    it('aborts what is under way when the connection is lost', async () => {
      const { client, cut, probe } = await start();
      if (!cut) return; // in process there is none
      const call = failure(client.destinations.test({ location: 'hang' }));
      await probe.begun.promise;
      cut();
      expect(await call).toMatchObject({ code: 'unreachable', transient: true });
      await probe.aborted.promise;
      expect(probe.faults).toEqual([]);
    });

    it('ends streams when the connection is lost', async () => {
      const { client, cut, probe } = await start();
      if (!cut) return;
      const stream = await preview(client, '/quiet');
      await stream.next();
      const waiting = failure(stream.next());
      await probe.begun.promise;
      cut();
      expect(await waiting).toMatchObject({ code: 'unreachable', transient: true });
      await probe.left.promise;
    });
  });
}

async function turnsUntil(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 100_000 && !holds(); i++) await new Promise(setImmediate);
  expect(holds()).toBe(true);
}

transportContract('in process', async ({ router, probe }) => ({
  client: serveInProcess(router, probe),
  close: () => {},
}));

transportContract('MessagePort', async ({ router, probe }) => {
  const { port1, port2 } = new MessageChannel();
  serveMessagePort(router, port1, probe);
  return { client: messagePortClient(port2), cut: () => port1.close(), close: () => port2.close() };
});

transportContract("MessagePort of Electron's kind", async ({ router, probe }) => {
  const { port1, port2 } = new MessageChannel();
  const main: MainPort = {
    postMessage: (message) => port1.postMessage(message),
    on: (name: string, listener: (event: { readonly data: unknown }) => void) =>
      name === 'message' ? port1.on('message', (data) => listener({ data })) : port1.on(name, listener),
    start: () => port1.start(),
    close: () => port1.close(),
  };
  serveMessagePort(router, main, probe);
  return { client: messagePortClient(port2), cut: () => port2.close(), close: () => port1.close() };
});

async function listening(toy: Toy, at: number | string) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const serve = pipeServer(toy.router, toy.probe);
  sockets.on('connection', (socket) => serve(webSocketPipe(socket)));
  const handle = httpHandler(toy.router, toy.probe);
  server.on(
    'request',
    (req, res) => void handle(req, res).then((found) => found || res.writeHead(404).end()),
  );
  await new Promise<void>((resolve) => server.listen(at, () => resolve()));
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  };
  const close = async () => {
    cut();
    sockets.close();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { cut, close, port };
}

transportContract('HTTP', async (toy) => {
  const { port, cut, close } = await listening(toy, 0);
  return { client: httpClient({ origin: `http://127.0.0.1:${port}` }), cut, close };
});

transportContract('WebSocket', async (toy) => {
  const { port, cut, close } = await listening(toy, 0);
  return { client: (await connectWebSocket(`ws://127.0.0.1:${port}/ws`)).client, cut, close };
});

transportContract('WebSocket of a browser', async (toy) => {
  const { port, cut, close } = await listening(toy, 0);
  const url = `ws://127.0.0.1:${port}/ws`;
  return { client: (await connectBrowserSocket(url, new AbortController().signal)).client, cut, close };
});

transportContract('socket', async (toy) => {
  const windows = process.platform === 'win32';
  const path = windows ? `\\\\.\\pipe\\holdfast-${process.pid}` : join(temp.dir(), 's');
  const { cut, close } = await listening(toy, path);
  return { client: (await connectSocket(path)).client, cut, close };
});
