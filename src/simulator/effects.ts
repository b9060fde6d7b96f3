/** What each action does to an instance: when it is accepted, the status meanwhile, and the state afterwards. */
export interface InstanceState {
  readonly status: string;
  readonly version: string;
  readonly replica: number;
  readonly availableReplica: number;
  readonly hosts: readonly string[];
}

/** Parameters of scale and rollback. */
export interface ActionParameters {
  readonly replica?: number | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly version?: string | undefined;
}

/** The rules of one action. */
export interface Effect {
  /** Statuses in which the action is accepted. */
  readonly acceptedIn: readonly string[];
  /** Status while its cloud job runs. */
  readonly meanwhile: string;
  after(state: InstanceState, parameters: ActionParameters): InstanceState;
}

/** The actions of the API. */
export type ActionName = 'start' | 'stop' | 'restart' | 'scale' | 'rollback';

const UP = ['RUNNING', 'DOWN', 'PARTIALLY_FAILED', 'FAILED', 'UNKNOWN'];

/** The rules of each action. */
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

/** True if `name` is an action of the API. */
export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(EFFECTS, name);
}
