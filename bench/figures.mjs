// From what was measured to what is shown: medians over the repetitions, and ratios to bare Temporal.
import { quantile } from './measure-work.mjs';

/** Figures whose ratio to bare Temporal is kept in baseline.json. */
const TO_BARE = ['runTimeRatio', 'workerCpuMs', 'serverCpuMs', 'peakMb', 'oneMoreKb', 'cpuMsPerMinute'];
/** Figures that are ratios, or do not depend on the machine, by themselves. */
const BY_THEMSELVES = ['runTimeRatio', 'runTimeRatioP90', 'callsPerJob', 'waitingMb', 'oneMoreRatio'];
/** All are better when they are lower, but this one: it is shown and not kept. */
const SHOWN_ONLY = ['waitingSteps'];

/**
 * @param {Record<string, Record<string, number>[][]>} measured by side: the rounds of each repetition
 * @returns medians by side and round, and the ratios of our last round, and of the first as `cold…` if there are several
 */
export function figuresOf(measured) {
  const medians = Object.fromEntries(
    Object.entries(measured).map(([side, repetitions]) => [
      side,
      repetitions[0].map((first, round) =>
        mediansOf(
          Object.keys(first),
          repetitions.map((rounds) => rounds[round]),
        ),
      ),
    ]),
  );
  const bare = medians.bare?.[0];
  const rounds = medians.ours;
  const ratios = ratiosOf(rounds.at(-1), bare);
  const cold = rounds.length === 1 ? {} : ratiosOf(rounds[0], bare);
  const named = Object.entries(cold).map(([name, value]) => [`cold${name[0].toUpperCase()}${name.slice(1)}`, value]);
  return { medians, ratios: { ...ratios, ...Object.fromEntries(named) } };
}

function mediansOf(names, repetitions) {
  return Object.fromEntries(
    names.map((name) => [
      name,
      quantile(
        repetitions.map((each) => each[name]),
        0.5,
      ),
    ]),
  );
}

function ratiosOf(ours, bare) {
  const has = (name) => name in ours;
  const own = BY_THEMSELVES.filter(has).map((name) => [name, ours[name]]);
  const toBare =
    bare === undefined
      ? []
      : TO_BARE.filter(has).map((name) => [`${withoutUnit(name)}ToBare`, ours[name] / bare[name]]);
  return Object.fromEntries([...own, ...toBare]);
}

function withoutUnit(name) {
  return name.replace(/(?:Ratio|Ms|Mb|Kb)$/, '');
}

/** One line for each figure, one column for each side and round. */
export function printTable({ medians }, sides) {
  const columns = sides.flatMap((side) =>
    medians[side].map((figures, round) => ({
      head: medians[side].length === 1 ? side : `${side}, ${round === 0 ? 'cold' : 'warm'}`,
      figures,
    })),
  );
  const row = (cells) =>
    console.log(`  ${cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(12))).join('')}`);
  row(['', ...columns.map(({ head }) => head)]);
  for (const name of Object.keys(columns[0].figures)) {
    const digits = SHOWN_ONLY.includes(name) ? 0 : 2;
    row([name, ...columns.map(({ figures }) => figures[name].toFixed(digits))]);
  }
}
