/** Whom the product asks and notifies: one server that answers checks, well or badly, and takes webhooks, or does not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CheckMode, ReceiverMode } from './schedule.js';
import type { Received } from './evidence.js';

/** How long a receiver that hangs keeps a request before it drops the connection. Shorter than the worker waits for an answer. */
const HANGS_MS = 3_000;
/** A check that flickers is well again after this many answers. */
const FLICKERS = 4;

export class Audience {
  readonly received: Received[] = [];
  readonly #asked = new Map<string, number>();
  #modes: readonly ReceiverMode[] = ['accepts'];
  #messages = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') this.#check(request.url ?? '', response);
      else this.#receive(request, response);
    });
  }

  static async open(): Promise<Audience> {
    const audience = new Audience();
    await new Promise<void>((resolve) => audience.#server.listen(0, '127.0.0.1', resolve));
    return audience;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  checkUrl(mode: CheckMode, scene: string): string {
    return `http://${this.host}/${mode}/${scene}`;
  }

  /** How the next messages are answered at their first attempt, in turn. */
  answers(modes: readonly ReceiverMode[]): void {
    this.#modes = modes;
    this.#messages = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #check(url: string, response: ServerResponse): void {
    const count = (this.#asked.get(url) ?? 0) + 1;
    this.#asked.set(url, count);
    const mode = url.split('/')[1] as CheckMode;
    const isUp = mode === 'up' || (mode === 'flickers' && (count > FLICKERS || count % 2 === 0));
    if (mode !== 'hangs') response.writeHead(isUp ? 200 : 503).end(isUp ? 'up' : 'down');
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { type, data } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        type: string;
        data: { runId: string };
      };
      const id = String(request.headers['webhook-id']);
      // A message fails once: a run stays open while its last message is tried, and each further attempt comes much later.
      const isAgain = this.received.some((earlier) => earlier.id === id);
      const mode = isAgain ? 'accepts' : (this.#modes[this.#messages++ % this.#modes.length] ?? 'accepts');
      this.received.push({
        id,
        event: type.replace('run.', ''),
        runId: data.runId,
        atMs: Date.now(),
        taken: mode === 'accepts',
      });
      if (mode === 'hangs') setTimeout(() => response.destroy(), HANGS_MS);
      else response.writeHead(mode === 'accepts' ? 204 : 500).end();
    });
  }
}
