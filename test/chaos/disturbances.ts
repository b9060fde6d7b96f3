/** What chaos did around a decision: which of it makes an honest doubt possible, and which lets a POST arrive late. */
import type { Limits } from '../../src/domain/once/limits.js';
import type { AcceptedAction } from '../support/simulator.js';
import type { Disturbance } from './evidence.js';

/** Event times are rounded to milliseconds and stamped on another thread than the POST's: more than rounding, less than any pause. */
export const CLOCK_MS = 50;

/** What a stalled link held flows on once it is mended: chosen, for a machine under load. */
const FLOWS_ON_MS = 500;

/** Of a fault that answers without passing the request on: the answer proves that nothing was sent. */
const PROVES_NOTHING_SENT = ['throttle', 'tokenExpired'];
/** After these it may honestly be unknown what was sent. A cancel meets activities that have not begun, which then leave no details. */
const MAKES_DOUBT = [
  'console',
  'cancel',
  'terminateRun',
  'terminateTarget',
  'resetActivity',
  'pauseActivity',
  'resetTarget',
  // The machine had no time for anybody: timers of the chaos process itself fired late.
  'starved',
  'freezeWorker',
  'stopServer',
  'cut',
  'stall',
];
/** A worker's end touches only the attempts it had: a step that kept its only attempt was with another worker. */
const ENDS_ATTEMPTS = ['killWorker', 'workerEnded'];
/** Through these an attempt can live on after its decision has ended. A killed worker cannot. */
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
/** Through these a POST is accepted later than it was sent, or later after the reading before it than usual. */
const DELAYS_A_POST = ['actLate', 'stall', 'freezeWorker', 'delay', 'throttleAll'];
/** Not on the way to the API, and no reason why it could not be read. */
const LEAVES_THE_API_READABLE = [
  'console',
  'cancel',
  'visibleLate',
  'resetActivity',
  'pauseActivity',
  'resetTarget',
  'terminateRun',
  'terminateTarget',
];

/** Nothing that an undo, which is shielded and takes its own time, could fail by; somebody else's cloud job is looked at by itself. */
const NEVER_FAILS_AN_UNDO = ['cancel', 'terminateRun', 'console', 'visibleLate'];

function touches({ atMs, untilMs }: Disturbance, fromMs: number, toMs: number): boolean {
  return atMs <= toMs && untilMs >= fromMs;
}

/** Every disturbance of a scene, with what follows from it in a span of time. */
export class Disturbances {
  constructor(
    private readonly all: readonly Disturbance[],
    private readonly limits: Limits,
  ) {}

  /** May it honestly be unknown what was sent between these times? An attempt lost before them is missed only a heartbeat time-out later. */
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

  /** Could every worker read the API all the time? */
  leaveTheApiReadable(fromMs: number, toMs: number): boolean {
    return !this.all.some(
      (disturbance) =>
        !LEAVES_THE_API_READABLE.includes(disturbance.kind) &&
        disturbance.route !== 'action' &&
        touches(disturbance, fromMs, toMs),
    );
  }

  /** Was there anything between these times that an undo may have failed by? */
  mayFailAnUndo(fromMs: number, toMs: number): boolean {
    return this.#near(fromMs, toMs).some(({ kind }) => !NEVER_FAILS_AN_UNDO.includes(kind));
  }

  happened(kinds: readonly string[], fromMs: number, toMs: number): boolean {
    return this.all.some((disturbance) => kinds.includes(disturbance.kind) && touches(disturbance, fromMs, toMs));
  }

  /** What was going on, for the text of a violation. */
  describe(fromMs: number, toMs: number): string {
    const kinds = new Set(
      this.#near(fromMs, toMs).map(({ kind, route }) => (route === undefined ? kind : `${kind} on ${route}`)),
    );
    return kinds.size === 0 ? 'undisturbed' : [...kinds].join(', ');
  }

  /**
   * The promise ends where ServiceStage shows an accepted cloud job later than the window. The window has to cover both how late it
   * was accepted after its sender gave up and how long it stayed unseen.
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
        // While it is stalled the sender waits for an answer; only what comes after it gave up is late.
        return stalled ? atMs - disturbance.atMs - this.limits.postTimeoutMs : 0;
      });
    return Math.max(0, ...latenesses);
  }

  #near(fromMs: number, toMs: number): readonly Disturbance[] {
    return this.all.filter((disturbance) => touches(disturbance, fromMs - this.limits.heartbeatTimeoutMs, toMs));
  }
}
