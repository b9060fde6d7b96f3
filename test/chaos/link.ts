/** A TCP link between a worker and a server that a test can cut, stall or make one-way. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class BreakableLink {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server: Server;
  #cut = false;
  #stalled = false;
  #losing = false;
  port = 0;
  /** Connections that came while it was cut. */
  refused = 0;

  private constructor(private readonly targetPort: number) {
    this.#server = createServer((near) => this.#connect(near));
  }

  static async open(targetPort: number): Promise<BreakableLink> {
    const link = new BreakableLink(targetPort);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', () => resolve()));
    link.port = (link.#server.address() as AddressInfo).port;
    return link;
  }

  /** Resets open connections, and new ones too, until it is restored. */
  cut(): void {
    this.#cut = true;
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Passes nothing, in either direction, until it is restored; then everything that waited passes. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Passes what is sent and drops what is answered, until it is restored. */
  loseAnswers(): void {
    this.#losing = true;
  }

  restore(): void {
    this.#losing = false;
    this.#cut = false;
    this.#stalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #connect(near: Socket): void {
    if (this.#cut) {
      this.refused++;
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.targetPort, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    pass(near, far, () => this.#stalled);
    pass(
      far,
      near,
      () => this.#stalled,
      () => this.#losing,
    );
    const end = () => {
      this.#pairs.delete(pair);
      // A side that was reset resets the other, because an orderly end would look like a complete answer.
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => pair.forEach((side) => side.resetAndDestroy()));
      socket.once('close', end);
    }
    if (this.#stalled) for (const socket of pair) socket.pause();
  }
}

/** There is no back-pressure on purpose: only a few kilobytes a second pass here. */
function pass(from: Socket, to: Socket, isStalled: () => boolean, isLost: () => boolean = () => false): void {
  from.on('data', (chunk) => {
    if (!isLost()) to.write(chunk);
  });
  from.once('end', () => to.end());
  if (isStalled()) from.pause();
}
