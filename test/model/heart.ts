/** The heartbeats of one attempt, and the way they take: one message under way at a time, the newest state next. */
import type { Attempt } from './attempt.js';
import type { Mischief } from './scenario.js';
import type { Pulse } from './server.js';
import type { World } from './world.js';

/** The core of the SDK gives an attempt up that long after the heartbeat time-out. */
const CORE_WAITS_LONGER_MS = 5_000;

/** The SDK holds a heartbeat back that comes sooner after another one (`maxHeartbeatThrottleInterval` of `src/worker.ts`). */
const THROTTLE_MS = 10_000;

export class Heart {
  #beats = true;
  #isDue = false;
  #speaksAgainAtMs = 0;
  #heardAtMs: number;

  constructor(
    private readonly world: World,
    private readonly attempt: Attempt,
    private readonly timeoutMs: number,
  ) {
    this.#heardAtMs = world.time.nowMs;
  }

  /** From now on it beats three times within the heartbeat time-out, as soon as there is something to say. */
  begin(): void {
    this.#beat();
    this.#watch(this.timeoutMs + CORE_WAITS_LONGER_MS);
  }

  #beat(): void {
    this.attempt.later(this.timeoutMs / 3, () => {
      if (!this.#beats) return;
      const { state } = this.attempt;
      if (state.cloudJob !== null || state.goal.kind === 'settle') this.record();
      this.#beat();
    });
  }

  /** The core of the SDK gives an attempt up that the server has not answered for longer than the heartbeat time-out. */
  #watch(afterMs: number): void {
    this.attempt.later(afterMs, () => {
      if (!this.#beats) return;
      const leftMs = this.#heardAtMs + this.timeoutMs + CORE_WAITS_LONGER_MS - this.world.time.nowMs;
      if (leftMs > 0) this.#watch(leftMs);
      else this.attempt.interrupt('stop', true);
    });
  }

  stop(): void {
    this.#beats = false;
  }

  /** The newest state goes out at once, or when the SDK lets the next one go. */
  record(): void {
    if (this.#isDue) return;
    const { time } = this.world;
    const heldBackMs = Math.max(0, this.#speaksAgainAtMs - time.nowMs);
    if (heldBackMs === 0) return this.#speak();
    this.#isDue = true;
    this.attempt.later(heldBackMs, () => {
      this.#isDue = false;
      if (this.#beats) this.#speak();
    });
  }

  #speak(): void {
    const { attempt } = this;
    this.#speaksAgainAtMs = this.world.time.nowMs + Math.min(THROTTLE_MS, 0.8 * this.timeoutMs);
    this.ask((pulse) => {
      if (pulse === 'cancelled') attempt.interrupt('cancel');
      else if (pulse !== 'fine') attempt.interrupt('stop');
    });
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
