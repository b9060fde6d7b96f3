/** Inputs of the built-in runbooks, by name. Generated from runbooks/*.yaml: `npm run generate`. */
export interface CatalogueInputs {
  /** Stop instances now, also within a change freeze. */
  'emergency-stop': Record<string, never>;
  /** Observe instances; change nothing. */
  'health-check': Record<string, never>;
  /** Stop an instance, wait until the work on it is done, start it again. */
  maintenance: {
    /** A URL that must answer with status 200 once the instance runs again, and for 30 s; empty for no check. Default ``. */
    readonly healthUrl?: string | undefined;
  };
  /** Stop an instance, roll it back to an earlier version, start it again. */
  recover: {
    /** A version of the instance's snapshots, or previous for the newest one that is not running now. Default `previous`. */
    readonly version?: string | undefined;
  };
  /** Restart an instance, once, and see it run again with all its replicas. */
  restart: Record<string, never>;
  /** Bring an instance back to an earlier version. */
  rollback: {
    /** A version of the instance's snapshots, or previous for the newest one that is not running now. Default `previous`. */
    readonly version?: string | undefined;
  };
  /** Run a number of replicas. */
  scale: {
    /** Number of replicas to run; not a difference. */
    readonly replica: number;
  };
  /** Run fewer replicas for a while; scale-up brings the count of before back. */
  'scale-down': {
    /** Number of replicas to keep; not a difference. Default `1`. */
    readonly replica?: number | undefined;
  };
  /** Bring back the number of replicas that the last scale-down captured. */
  'scale-up': Record<string, never>;
  /** Start an instance and see it run with all its replicas. */
  start: Record<string, never>;
  /** Stop an instance. */
  stop: Record<string, never>;
}
