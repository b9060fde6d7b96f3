/** What each action does to an instance: when it is accepted, its status meanwhile, and the state after. One entry an action. */
export interface InstanceState {
  readonly status: string;
  readonly version: string;
  readonly replica: number;
  readonly availableReplica: number;
  readonly hosts: readonly string[];
}

export interface ActionParameters {
  readonly replica?: number | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly version?: string | undefined;
}

export interface Effect {
  /** Statuses the action is accepted in. */
  readonly acceptedIn: readonly string[];
  /** Status while its cloud job runs. */
  readonly meanwhile: string;
  after(state: InstanceState, parameters: ActionParameters): InstanceState;
}

export type ActionName = 'start' | 'stop' | 'restart' | 'scale' | 'rollback';

const UP = ['RUNNING', 'DOWN', 'PARTIALLY_FAILED', 'FAILED', 'UNKNOWN'];

export const EFFECTS: Readonly<Record<ActionName, Effect>> = {
  start: {
    acceptedIn: ['STOPPED', 'FAILED', 'DOWN', 'PARTIALLY_FAILED'],
    meanwhile: 'STARTING',
    after: (state) => ({ ...state, status: 'RUNNING', availableReplica: state.replica }),
  },
  stop: {
    acceptedIn: UP,
    meanwhile: 'STOPPING',
    after: (state) => ({ ...state, status: 'STOPPED', availableReplica: 0 }),
  },
  restart: {
    acceptedIn: UP,
    meanwhile: 'RESTARTING',
    after: (state) => ({ ...state, status: 'RUNNING', availableReplica: state.replica }),
  },
  scale: {
    acceptedIn: ['RUNNING', 'DOWN', 'PARTIALLY_FAILED'],
    meanwhile: 'UPGRADING',
    after: (state, { replica = state.replica, hosts }) => ({
      ...state,
      status: 'RUNNING',
      replica,
      availableReplica: replica,
      hosts: hosts ?? state.hosts,
    }),
  },
  rollback: {
    acceptedIn: ['RUNNING', 'STOPPED', 'DOWN', 'FAILED', 'PARTIALLY_FAILED'],
    meanwhile: 'UPGRADING',
    after: (state, { version = state.version }) => ({ ...state, version }),
  },
};

export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(EFFECTS, name);
}
