/** What chaos did around a decision: what can leave its result unknown, and what can make a POST arrive late. */
import type { Limits } from '../../src/domain/once/limits.js';
import type { AcceptedAction } from '../support/simulator.js';
import type { Disturbance } from './evidence.js';

/** Event times are rounded to milliseconds and stamped on another thread than the POST's: more than rounding, less than any pause. */
export const CLOCK_MS = 50;

/** How long data that a stalled link held may still arrive after it is restored. Chosen for a machine under load. */
const FLOWS_ON_MS = 500;

/** Faults that answer without passing the request on: the answer proves that nothing was sent. */
const PROVES_NOTHING_SENT = ['throttle', 'tokenExpired'];
/** After these it can be unknown what was sent. A cancel can hit an activity before it begins, which then leaves no details. */
const MAKES_DOUBT = [
  'console',
  'cancel',
  'abort',
  'terminateRun',
  'terminateTarget',
  'resetActivity',
  'pauseActivity',
  'resetTarget',
  // The machine was overloaded: timers of the chaos process itself fired late.
  'starved',
  'freezeWorker',
  'stopServer',
  'cut',
  'stall',
];
/** The end of a worker affects only the attempts it had: a step with only one attempt ran on another worker. */
const ENDS_ATTEMPTS = ['killWorker', 'workerEnded'];
/** Through these an attempt can outlive its decision. A killed worker cannot. */
const LEAVES_AN_ATTEMPT_ALIVE = [
  'resetActivity',
  'pauseActivity',
  'resetTarget',
  'terminateTarget',
  'terminateRun',
  'freezeWorker',
  'stopServer',
  'cut',
  'stall',
];
/** Through these a POST is accepted later than it was sent, or later than usual after the reading before it. */
const DELAYS_A_POST = ['actLate', 'stall', 'freezeWorker', 'delay', 'throttleAll'];
/** These do not concern the connection to the API, and do not explain why it could not be read. */
const LEAVES_THE_API_READABLE = [
  'console',
  'cancel',
  'abort',
  'command',
  'visibleLate',
  'resetActivity',
  'pauseActivity',
  'resetTarget',
  'terminateRun',
  'terminateTarget',
];

/** Nothing here can make an undo fail, because undos are shielded and have their own deadline. Foreign cloud jobs are checked separately. */
const NEVER_FAILS_AN_UNDO = ['cancel', 'abort', 'command', 'terminateRun', 'console', 'visibleLate'];

function touches({ atMs, untilMs }: Disturbance, fromMs: number, toMs: number): boolean {
  return atMs <= toMs && untilMs >= fromMs;
}

/** Every disturbance of a scene, and what it explains in a span of time. */
export class Disturbances {
  constructor(
    private readonly all: readonly Disturbance[],
    private readonly limits: Limits,
  ) {}

  /** True if it can be unknown what was sent between these times. An attempt that was lost before them is detected only a heartbeat timeout later. */
  makeDoubt(fromMs: number, toMs: number, keptItsOnlyAttempt: boolean): boolean {
    const kinds = keptItsOnlyAttempt ? MAKES_DOUBT : [...MAKES_DOUBT, ...ENDS_ATTEMPTS];
    return this.#near(fromMs, toMs).some(({ kind, route }) =>
      route === undefined ? kinds.includes(kind) : !PROVES_NOTHING_SENT.includes(kind),
    );
  }

  leaveAnAttemptAlive(fromMs: number, toMs: number): boolean {
    return this.#near(fromMs, toMs).some(({ kind }) => LEAVES_AN_ATTEMPT_ALIVE.includes(kind));
  }

  delayAPost(fromMs: number, toMs: number): boolean {
    return this.#near(fromMs, toMs).some(({ kind }) => DELAYS_A_POST.includes(kind));
  }

  /** True if every worker could read the API all the time. */
  leaveTheApiReadable(fromMs: number, toMs: number): boolean {
    return !this.all.some(
      (disturbance) =>
        !LEAVES_THE_API_READABLE.includes(disturbance.kind) &&
        disturbance.route !== 'action' &&
        touches(disturbance, fromMs, toMs),
    );
  }

  /** True if something between these times can have made an undo fail. */
  mayFailAnUndo(fromMs: number, toMs: number): boolean {
    return this.#near(fromMs, toMs).some(({ kind }) => !NEVER_FAILS_AN_UNDO.includes(kind));
  }

  happened(kinds: readonly string[], fromMs: number, toMs: number): boolean {
    return this.all.some((disturbance) => kinds.includes(disturbance.kind) && touches(disturbance, fromMs, toMs));
  }

  /** Lists the disturbances for the text of a violation. */
  describe(fromMs: number, toMs: number): string {
    const kinds = new Set(
      this.#near(fromMs, toMs).map(({ kind, route }) => (route === undefined ? kind : `${kind} on ${route}`)),
    );
    return kinds.size === 0 ? 'undisturbed' : [...kinds].join(', ');
  }

  /**
   * The promise ends if ServiceStage shows an accepted cloud job later than the window. The window has to cover both how late it was accepted
   * after its sender gave up and how long it stayed invisible.
   */
  areBeyondTheWindow(post: AcceptedAction): boolean {
    return this.#acceptedLateByMs(post) + post.visibleAtMs - post.atMs > this.limits.visibilityWindowMs;
  }

  #acceptedLateByMs({ atMs }: AcceptedAction): number {
    const latenesses = this.all
      .filter((disturbance) => touches(disturbance, atMs - FLOWS_ON_MS, atMs + CLOCK_MS))
      .map((disturbance) => {
        if (disturbance.kind === 'actLate') return atMs - disturbance.atMs;
        const stalled = disturbance.kind === 'stall' && disturbance.link !== 'temporal';
        // While the link is stalled the sender waits for an answer; only an acceptance after it gave up is late.
        return stalled ? atMs - disturbance.atMs - this.limits.postTimeoutMs : 0;
      });
    return Math.max(0, ...latenesses);
  }

  #near(fromMs: number, toMs: number): readonly Disturbance[] {
    return this.all.filter((disturbance) => touches(disturbance, fromMs - this.limits.heartbeatTimeoutMs, toMs));
  }
}
