/** What an action should come to, and what differs between two states: read from the API's documents again, apart from the product. */
import type { Action } from '../../src/domain/target/actions.js';
import type { InstanceState } from '../support/simulator.js';

/** What can be taken back. A version cannot, but its change has to be told. */
export type Dimension = 'power' | 'replicas' | 'version';

/** Which actions are answerable for a difference. */
export const ANSWERABLE: Readonly<Record<Dimension, readonly string[]>> = {
  power: ['start', 'stop'],
  replicas: ['scale'],
  version: ['rollback'],
};

const FAILED_ENDS = ['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED'];

export function hasFailed(executionStatus: string): boolean {
  return FAILED_ENDS.includes(executionStatus);
}

/** Did the action come to what it is for? */
export function isWished(action: Action, state: InstanceState): boolean {
  const { status, replica, availableReplica, version } = state;
  const isUp = status === 'RUNNING' && availableReplica >= replica;
  switch (action.action) {
    case 'start':
    case 'restart':
      return isUp;
    case 'stop':
      return status === 'STOPPED';
    case 'scale':
      return isUp && replica === action.replica;
    case 'rollback':
      return version === action.version && (isUp || status === 'STOPPED');
  }
}

/** Statuses that only a cloud job in flight explains. */
const MOVING = ['INITIALIZING', 'UPGRADING', 'STARTING', 'STOPPING', 'RESTARTING', 'PENDING', 'DELETING'];

export function isMoving({ status }: InstanceState): boolean {
  return MOVING.includes(status);
}

/** A status such as FAILED is no state to go back to, so nothing is owed from there. */
export function differences(before: InstanceState, after: InstanceState): readonly Dimension[] {
  const isPlain = before.status === 'RUNNING' || before.status === 'STOPPED';
  return [
    ...(isPlain && before.status !== after.status ? (['power'] as const) : []),
    ...(before.replica === after.replica ? [] : (['replicas'] as const)),
    ...(before.version === after.version ? [] : (['version'] as const)),
  ];
}
