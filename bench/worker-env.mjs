// The environment of a worker that meets no limits but its own: what benches start against a server and a simulator of theirs.
export function workerEnv({ server, simulator, usualDurations }) {
  return {
    PATH: process.env.PATH,
    TEMPORAL_ADDRESS: server.address,
    SERVICESTAGE_ENDPOINT: simulator.url,
    SERVICESTAGE_REQUESTS_PER_SECOND: '1000',
    SERVICESTAGE_BURST: '1000',
    HUAWEICLOUD_SDK_PROJECT_ID: simulator.projectId,
    SERVICESTAGE_USER_ID: simulator.userId,
    HUAWEICLOUD_SDK_AK: simulator.accessKey,
    HUAWEICLOUD_SDK_SK: simulator.secretKey,
    RUNBOOK_VERIFY: 'within=20s,stable=200ms',
    RUNBOOK_USUAL_DURATIONS: usualDurations,
  };
}
