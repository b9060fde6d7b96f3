/**
 * Prints how often cloud jobs are polled and how late their ends are seen, in a simulation (virtual time, seeded), beside the floor.
 * It measures no machine: the figures are the same everywhere.
 */
import { Durations } from '../src/domain/durations/durations.js';
import { planWithin } from '../src/domain/durations/polls.js';
import {
  afterLearning,
  bimodal,
  drawn,
  evenly,
  fineLaw,
  floorMs,
  follow,
  followInTurn,
  followPlanned,
  KIND,
  lawsAround,
  lognormal,
  plain,
  seeded,
  summary,
  uniform,
  type Followed,
  type TrueLaw,
} from '../test/unit/domain/durations/simulation.js';

const JOB_MS = 20_000;
const CALL_MS = 20;
const SEEDS = 40;

function row(name: string, law: TrueLaw, followed: readonly Followed[]) {
  const { polls, latenessMs, latenessShareP50 } = summary(followed);
  const floor = floorMs(fineLaw(law), polls);
  return {
    law: name,
    polls: polls.toFixed(2),
    'lateness mean, ms': latenessMs.toFixed(0),
    'lateness p50': `${(100 * latenessShareP50).toFixed(1)} %`,
    'polls × lateness, s': ((polls * latenessMs) / 1_000).toFixed(2),
    'floor, s': ((polls * floor) / 1_000).toFixed(2),
    // A constant has the floor 0.
    'times the floor': floor < 1 ? '-' : (latenessMs / floor).toFixed(2),
  };
}

const laws = Object.entries(lawsAround(JOB_MS));
const print = (title: string, rows: readonly object[]) => {
  console.log(title);
  console.table(rows);
};

print(
  'Law known, at most 2.4 polls expected',
  laws.map(([name, law]) => {
    const plan = planWithin(fineLaw(law, 96), 2.4, 0.004 * JOB_MS);
    return row(
      name,
      law,
      evenly(law, 2_000).map((durationMs) => followPlanned(plan, durationMs)),
    );
  }),
);
for (const learned of [30, 100])
  print(
    `After ${learned} jobs learned, one after the other`,
    laws.map(([name, law]) =>
      row(
        name,
        law,
        afterLearning(law, learned, SEEDS, () => new Durations()),
      ),
    ),
  );
print(
  'Cold: one job, nothing known before (the plain rule)',
  laws.map(([name, law]) =>
    row(
      name,
      law,
      evenly(law, 200).flatMap((job) => follow([job], { durations: new Durations() })),
    ),
  ),
);
print(
  `500 at once, ${CALL_MS} ms per call; nothing known, the plain rule, and 100 jobs learned before`,
  laws.flatMap(([name, law]) => {
    const jobs = drawn(law, 500, seeded(5));
    const warm = new Durations();
    followInTurn(drawn(law, 100, seeded(6)), { durations: warm });
    return [
      row(`${name}, nothing known`, law, follow(jobs, { durations: new Durations(), callMs: CALL_MS })),
      row(
        `${name}, plain rule`,
        law,
        jobs.map((job) => plain(job, CALL_MS)),
      ),
      row(`${name}, learned`, law, follow(jobs, { durations: warm, callMs: CALL_MS })),
    ];
  }),
);
print(
  'Drift after 60 jobs: jobs after it, lateness mean as a share of the duration / polls',
  [0.5, 2].flatMap((times) =>
    Object.entries({
      'uniform ±10 %': (ms: number) => uniform(ms, 0.1),
      'lognormal 0.3': (ms: number) => lognormal(ms, 0.3),
      '10 % fail fast': (ms: number) => bimodal(0.1, lognormal(ms * 0.05, 0.2), lognormal(ms, 0.1)),
    }).map(([name, lawOf]) => {
      const after = Array.from({ length: SEEDS }, (_, seed) => {
        const random = seeded(31 * (seed + 1));
        const durations = new Durations();
        followInTurn(drawn(lawOf(JOB_MS), 60, random), { durations });
        return followInTurn(drawn(lawOf(JOB_MS * times), 40, random), { durations });
      });
      const between = (from: number, to: number) => {
        const { polls, latenessMs } = summary(after.flatMap((followed) => followed.slice(from, to)));
        return `${((100 * latenessMs) / (JOB_MS * times)).toFixed(0)} % / ${polls.toFixed(1)}`;
      };
      return {
        law: `${name} × ${times}`,
        '1-5': between(0, 5),
        '6-10': between(5, 10),
        '11-20': between(10, 20),
        '21-30': between(20, 30),
        '31-40': between(30, 40),
      };
    }),
  ),
);

/** Cost of one estimate with its polls, in milliseconds, with a full memory. */
const full = new Durations();
followInTurn(drawn(lognormal(JOB_MS, 0.3), 200, seeded(1)), { durations: full });
let version = full.version(KIND);
let refits = 0;
let spentMs = 0;
for (let end = 0; end < 2_000; end++) {
  full.ended(KIND, `refit-${end}`, { runningAtMs: 18_000 + end, endedByMs: 21_000 + end });
  const before = process.cpuUsage();
  full.nextPollAtMs(KIND, { polls: 0, followedForMs: 0, ageMs: 0, lastRunningAtMs: null });
  if (full.version(KIND) === version) continue;
  version = full.version(KIND);
  refits++;
  spentMs += process.cpuUsage(before).user / 1_000;
}
console.log(
  `One estimate with its polls: ${(spentMs / refits).toFixed(2)} ms of CPU; ${refits} of them for 2,000 ends.`,
);
