/** `runbook targets`: lists the instances of ServiceStage with their states, and which run acts on each. */
import type { Command } from 'commander';
import pMap from 'p-map';
import type { LeaseHolding } from '../client/lease-holding.js';
import type { Target } from '../domain/target/target.js';
import { createColors } from './colors.js';
import { integerBetween, withSessionOptions, type SessionOptions } from './options.js';
import { CommandError, hint, printJson, printPainted } from './output.js';
import { renderTargets, type ShownTargets } from './render-targets.js';
import { withSession } from './session.js';
import { targetPattern, type TargetPattern } from './target-pattern.js';

interface TargetsOptions extends SessionOptions {
  readonly limit: number;
}

const LIMIT = 50;
const MOST = 1_000;
/** Reading more instances than this takes a while, at five a second, so a hint is printed. */
const WORTH_A_HINT = 15;
/** Temporal answers hundreds of these a second. */
const ASKED_TOGETHER = 10;

/** Adds `targets`. */
export function addTargetCommands(program: Command): void {
  withSessionOptions(
    program.command('targets').argument('[pattern]', 'application/component/instance with *, by name or id', '*'),
  )
    .description('list instances: state, newest cloud job, and the run that holds them; needs ServiceStage credentials')
    .option('--limit <number>', 'read at most this many instances', integerBetween(1, MOST), LIMIT)
    .action(async (text: string, options: TargetsOptions) => {
      const pattern = targetPattern(text);
      if (pattern === null)
        throw new CommandError(
          'Usage',
          `The pattern "${text}" has empty parts or more than three. Write application/component/instance, such as shop/*/prod-*`,
        );
      const shown = await targetsOf(pattern, options);
      if (options.json === true) printJson(shown);
      else printPainted(renderTargets(shown, createColors()));
    });
}

async function targetsOf(pattern: TargetPattern, options: TargetsOptions): Promise<ShownTargets> {
  const [{ loadOperatorConfig }, { createServiceStage }, { readTargets }] = await Promise.all([
    import('../config/config.js'),
    import('../servicestage/service-stage-client.js'),
    import('./read-targets.js'),
  ]);
  const { serviceStage, readTimeoutMs } = loadOperatorConfig(process.env);
  const { targets, leftOut, componentsLeftOut } = await readTargets(createServiceStage(serviceStage), {
    pattern,
    limit: options.limit,
    timeoutMs: readTimeoutMs,
    onListed: (count) => {
      if (count > WORTH_A_HINT) hint(`Reading ${count} instances`);
    },
  });
  const holders = await holdersOf(
    targets.map(({ target }) => target),
    options,
  );
  return {
    targets: targets.map(({ target, seen, problem, newestJob }, index) => ({
      path: target.path,
      instanceId: target.instanceId,
      seen,
      problem,
      newestJob,
      heldBy: holders === null ? 'unknown' : (holders[index] ?? null),
    })),
    leftOut,
    componentsLeftOut,
  };
}

/** @returns `null` if Temporal cannot be reached: the states are worth showing without the leases */
async function holdersOf(
  targets: readonly Target[],
  options: SessionOptions,
): Promise<readonly (LeaseHolding | null)[] | null> {
  if (targets.length === 0) return [];
  try {
    return await withSession(options, ({ runbooks }) =>
      pMap(targets, (target) => runbooks.leaseHolder(target), { concurrency: ASKED_TOGETHER }),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ServerUnreachable') throw error;
    hint(`! ${error.message}`);
    return null;
  }
}
