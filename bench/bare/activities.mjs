// What a bare worker does for a step: it POSTs the action, polls the cloud job by the plain rule, and heartheartbeats. It reads nothing before or after.
import { activityInfo, heartbeat } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const HEARTBEAT_MS = 5_000;
const ENDED = ['SUCCEEDED', 'FAILED', 'ABORTED'];

/** @param {{ endpoint: string, projectId: string, token: string }} access */
export function bareActivities({ endpoint, projectId, token }) {
  const base = `${endpoint}/v2/${projectId}/cas`;
  const headers = { 'X-Auth-Token': token, 'content-type': 'application/json' };

  async function call(path, body) {
    const answer = await fetch(`${base}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  return {
    async act({ applicationId, componentId, instanceId }, step) {
      const place = `/applications/${applicationId}/components/${componentId}/instances/${instanceId}`;
      const jobId = activityInfo().heartbeatDetails ?? (await call(`${place}/action`, step)).job_id;
      heartbeat(jobId);
      const heartbeats = setInterval(() => heartbeat(jobId), HEARTBEAT_MS);
      try {
        for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
          await delay(pauseMs);
          const { EXECUTION_STATUS: status } = (await call(`/jobs/${jobId}`)).job;
          if (ENDED.includes(status)) return status;
        }
      } finally {
        clearInterval(heartbeats);
      }
    },
  };
}
