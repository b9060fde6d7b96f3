/** The worker's refusals to start: each with what to do, none by a run that is stuck later. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runbookProcess } from '../support/command-line.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const credentials = {
  SERVICESTAGE_ENDPOINT: 'http://127.0.0.1:9',
  HUAWEICLOUD_SDK_PROJECT_ID: 'p',
  SERVICESTAGE_TOKEN: 'the-token',
};

describe('the worker', () => {
  it('refuses a namespace without the search attributes, with the command to type, exit code 2', async () => {
    const namespace = `bare-${randomUUID().slice(0, 8)}`;
    const { workflowService } = temporal.client.connection;
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: { low: 86_400, high: 0, unsigned: false } as never },
    });
    const env = { ...credentials, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: namespace };
    // A new namespace takes a moment to be known everywhere.
    await expect
      .poll(async () => (await runbookProcess(['worker'], env)).stderr)
      .toContain('temporal operator search-attribute create');
    const { exitCode, stderr } = await runbookProcess(['worker'], env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `--namespace ${namespace} --name RunbookTarget --type KeywordList --name RunbookOutcome --type Keyword`,
    );
    expect(stderr).not.toContain('the-token');
  });

  it('exits 3 when Temporal cannot be reached', async () => {
    const { exitCode, stderr } = await runbookProcess(['worker'], { ...credentials, TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('127.0.0.1:9 cannot be reached');
  });
});
