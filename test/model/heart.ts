/** The heartbeats of one attempt, and the way they take: one message under way at a time, the newest state next. */
import type { Attempt } from './attempt.js';
import type { Mischief } from './scenario.js';
import type { Pulse } from './server.js';
import type { World } from './world.js';

/** How long the client waits for an answer before it speaks again; what it had sent may still arrive. */
const GIVES_UP_AFTER_MS = 5_000;
/** The core of the SDK gives an attempt up that long after the heartbeat time-out. */
const CORE_WAITS_LONGER_MS = 5_000;

export class Heart {
  #beats = true;
  #isUnderWay = false;
  #isDue = false;
  #heardAtMs: number;

  constructor(
    private readonly world: World,
    private readonly attempt: Attempt,
    private readonly timeoutMs: number,
  ) {
    this.#heardAtMs = world.time.nowMs;
  }

  /** From now on it beats three times within the heartbeat time-out. */
  begin(): void {
    this.attempt.later(this.timeoutMs / 3, () => {
      if (!this.#beats) return;
      if (this.world.time.nowMs > this.#heardAtMs + this.timeoutMs + CORE_WAITS_LONGER_MS)
        this.attempt.interrupt('stop', true);
      this.record();
      this.begin();
    });
  }

  stop(): void {
    this.#beats = false;
  }

  /** The newest state goes out as soon as the way is free. */
  record(): void {
    this.#isDue = true;
    if (!this.#isUnderWay) this.#speak();
  }

  #speak(): void {
    const { attempt } = this;
    this.#isDue = false;
    this.#isUnderWay = true;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#isUnderWay = false;
      if (this.#isDue && this.#beats) this.#speak();
    };
    this.ask((pulse) => {
      if (pulse === 'cancelled') attempt.interrupt('cancel');
      else if (pulse !== 'fine') attempt.interrupt('stop');
      over();
    });
    attempt.later(GIVES_UP_AFTER_MS, over);
  }

  /** One heartbeat with the state as it is now. `heard` is called when its answer is there, if ever. */
  ask(heard: (pulse: Pulse) => void): void {
    const { attempt, world } = this;
    const { state, token } = attempt;
    this.pass(world.mishaps.at('heartbeat'), () => {
      const pulse = world.server.heartbeat(token, state);
      return () => {
        attempt.later(world.dice.whole(1, 15), () => {
          if (pulse !== 'not found') this.#heardAtMs = world.time.nowMs;
          heard(pulse);
        });
      };
    });
  }

  /** A message to the server and the way back, unless something is in between. What is on its way arrives, whatever becomes of the process. */
  pass(struck: Mischief | null, arrives: () => (() => void) | void): void {
    const { attempt, world } = this;
    if (attempt.isCutOff || struck?.kind === 'hangs') return;
    const delayMs = world.dice.whole(1, 15) + (struck?.kind === 'slow' ? struck.ms : 0);
    world.time.after(delayMs, () => {
      if (attempt.isCutOff) return;
      const answer = arrives();
      if (struck?.kind !== 'answerLost') answer?.();
    });
  }
}
