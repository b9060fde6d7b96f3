/** Mutations of the send lease: an acknowledged heartbeat and an answer of the server directly before the first byte. */
import { FOUND, foundWith, type Mutation } from '../chaos/mutation.js';

const SENDING = 'src/domain/once/sending.ts';
const ACCESS = 'src/activities/temporal-access.ts';
const HEARTBEATS = 'test/model/heartbeats.ts';

const LEASE_OF_PRODUCT = `      const standing = await heartbeat(client, info, state, timeoutMs);
      return standing === 'current' && !isYoung ? standingOf(client, info, timeoutMs) : { standing };`;
const LEASE_OF_MODEL = `    this.#heartbeat(this.attempt.state, timeoutMs, (standing) => {
      if (standing === 'current' && !isYoung) this.#describe(timeoutMs, onAnswer);
      else onAnswer({ standing });
    });`;

export const LEASE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'lease-left-out',
    breaks: 'once',
    why: 'An attempt sends without asking: one that waited for the budget (story 4), or was frozen between reading and send (story 11), sends beside its successor.',
    edits: [
      { file: SENDING, from: `  const leasing: OnceState = {`, to: `  const unasked: OnceState = {` },
      {
        file: SENDING,
        from: `  return { state: leasing, command: { kind: 'lease', isYoung: isYoung(state, at), giveUpAtMs } };`,
        to: `  void [isYoung, giveUpAtMs];
  return leasing(unasked, unasked.phase as Extract<Phase, { name: 'leasing' }>, { kind: 'standing', standing: 'current' }, at);`,
      },
      {
        file: 'src/activities/once.ts',
        from: `        if (command?.kind !== 'lease') throw NOT_SENT;`,
        to: `        if (command?.kind === 'send') return;
        if (command?.kind !== 'lease') throw NOT_SENT;`,
      },
    ],
    storms: { aim: ['frozenBeforeItsSend'], seeds: 8 },
    model: FOUND,
  },
  {
    name: 'fence-left-out',
    breaks: 'once',
    why: 'A lease is believed however old it is: a process that was frozen between the answer and the first byte sends beside its successor (story 11).',
    edits: [
      {
        file: SENDING,
        from: `  return nowMs - askedAtMs > limits.leaseMs\n`,
        to: `  return nowMs - askedAtMs > 1e6 * limits.leaseMs\n`,
      },
    ],
    model: FOUND,
  },
  {
    name: 'lease-believed-unanswered',
    breaks: 'once',
    why: 'An attempt sends although the server did not answer whether it has the lease.',
    edits: [
      {
        file: SENDING,
        from: `  if (standing === 'unclear')
    return { failure: 'Unreachable', why: 'Temporal did not acknowledge the heartbeat before it' };
`,
        to: '',
      },
    ],
    model: foundWith({ disruptions: ['cutOff'] }),
  },
  {
    name: 'lease-believed-superseded',
    breaks: 'once',
    why: 'An attempt sends although the server has named another one as the current one.',
    edits: [
      {
        file: SENDING,
        from: `  if (standing === 'superseded') return { by: 'superseded', why: 'another attempt is the current one' };\n`,
        to: '',
      },
    ],
    model: FOUND,
  },
  {
    name: 'lease-without-description',
    breaks: 'once',
    why: 'The lease is only an acknowledged heartbeat. After a reset numbers repeat, so the server acknowledges the heartbeat of an attempt that was replaced.',
    edits: [
      {
        file: ACCESS,
        from: LEASE_OF_PRODUCT,
        to: `      void isYoung;
      return { standing: await heartbeat(client, info, state, timeoutMs) };`,
      },
    ],
    model: {
      kind: 'found',
      aim: { plots: ['frozenBesideItsSuccessor'] },
      edits: [
        {
          file: HEARTBEATS,
          from: LEASE_OF_MODEL,
          to: `    this.#heartbeat(this.attempt.state, timeoutMs, (standing) => onAnswer({ standing }));`,
        },
      ],
    },
  },
  {
    name: 'lease-without-heartbeat',
    breaks: 'once',
    why: 'The lease is only a description: the server may time the attempt out while its POST is open, and the next attempt does not learn that it may have sent.',
    edits: [
      {
        file: ACCESS,
        from: `    async sendLease(info, state, isYoung, timeoutMs) {`,
        to: `    async sendLease(info, _state, _isYoung, timeoutMs) {`,
      },
      { file: ACCESS, from: LEASE_OF_PRODUCT, to: `      return standingOf(client, info, timeoutMs);` },
    ],
    model: {
      kind: 'found',
      edits: [{ file: HEARTBEATS, from: LEASE_OF_MODEL, to: `    this.#describe(timeoutMs, onAnswer);` }],
    },
  },
  {
    name: 'lease-described-first',
    breaks: 'once',
    why: 'The description comes before the heartbeat: a reset between the two leaves a lease that the next attempt does not find.',
    edits: [
      {
        file: ACCESS,
        from: LEASE_OF_PRODUCT,
        to: `      void isYoung;
      const answer = await standingOf(client, info, timeoutMs);
      return answer.standing === 'current' ? { standing: await heartbeat(client, info, state, timeoutMs) } : answer;`,
      },
    ],
    model: {
      kind: 'found',
      aim: { plots: ['resetWithinTheLease'] },
      edits: [
        {
          file: HEARTBEATS,
          from: LEASE_OF_MODEL,
          to: `    this.#describe(timeoutMs, (answer) => {
      if (answer.standing !== 'current') onAnswer(answer);
      else this.#heartbeat(this.attempt.state, timeoutMs, (standing) => onAnswer({ standing }));
    });`,
        },
      ],
    },
  },
  {
    name: 'lease-carries-no',
    breaks: 'once',
    why: 'The acknowledged heartbeat carries what was true before the send, so the attempt that takes over after a crash believes that nothing was sent.',
    edits: [
      {
        file: SENDING,
        from: `    sent: 'unknown',
    isUnleased: false,
    phase: { name: 'leasing'`,
        to: `    isUnleased: false,
    phase: { name: 'leasing'`,
      },
      {
        file: SENDING,
        from: `        { ...held, phase: { name: 'sending',`,
        to: `        { ...held, sent: 'unknown', phase: { name: 'sending',`,
      },
    ],
    model: {
      kind: 'harmless',
      why: 'as `heartbeats-say-no`',
    },
  },
  {
    name: 'unleased-attempt-reports',
    breaks: 'known',
    why: 'An attempt that got no lease in time reports that without asking the server whether it is the current one: its `no` counts as that of another attempt after a reset.',
    edits: [
      {
        file: SENDING,
        from: `  return standing === 'unclear' ? askAgain(unsent, fenced, at) : failUnsent(`,
        to: `  return failUnsent(`,
      },
      { file: SENDING, from: `function askAgain(`, to: `export function askAgain(` },
    ],
    model: {
      kind: 'harmless',
      why: 'one that has its number sends 31 s after its last heartbeat at the earliest; an end that comes by then is late (`late-end-not-waited-out`), or sets a bound itself (`silent-end-not-waited-out`)',
      aim: {
        plots: [
          'handedOutBesideItsSuccessor',
          'handedOutBesideAnEarlySuccessor',
          'frozenBesideItsSuccessor',
          'receivedBesideItsSuccessor',
          'resetWithinTheLease',
        ],
      },
    },
  },
];
