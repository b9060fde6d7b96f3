/** The intended result of an action, and the differences between two states: written from the API's documentation, independently of the product. */
import type { Action } from '../../src/domain/target/actions.js';
import type { InstanceState } from '../support/simulator.js';

/** Dimensions that can be taken back. A version cannot, but its change has to be reported. */
export type Dimension = 'power' | 'replicas' | 'version';

/** The actions that can explain a difference. */
export const ANSWERABLE: Readonly<Record<Dimension, readonly string[]>> = {
  power: ['start', 'stop'],
  replicas: ['scale'],
  version: ['rollback'],
};

const FAILED_ENDS = ['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED'];

export function hasFailed(executionStatus: string): boolean {
  return FAILED_ENDS.includes(executionStatus);
}

/** True if the action reached its desired state. */
export function isDesired(action: Action, state: InstanceState): boolean {
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

/** No action leads back to a status such as FAILED, so no undo is expected from there. */
export function differences(before: InstanceState, after: InstanceState): readonly Dimension[] {
  const isPlain = before.status === 'RUNNING' || before.status === 'STOPPED';
  return [
    ...(isPlain && before.status !== after.status ? (['power'] as const) : []),
    ...(before.replica === after.replica ? [] : (['replicas'] as const)),
    ...(before.version === after.version ? [] : (['version'] as const)),
  ];
}
