/** Tracing is no reason for a workflow to act differently: every recorded history replays with it. */
import { readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { tracedBundle } from '../../src/worker/workflow-code.js';
import { installQuietRuntime } from '../support/quiet-runtime.js';
import { unobserved } from '../support/unobserved.js';
import { goldenNames, readGolden } from './golden-files.js';

it('replays every recorded history with tracing on', async () => {
  installQuietRuntime();
  const names = await goldenNames();
  const histories = await Promise.all(
    names.map(async (name) => {
      const recorded = await readGolden(name);
      const { workflowId } = recorded.events[0]?.workflowExecutionStartedEventAttributes ?? {};
      return { workflowId: workflowId ?? '', history: historyFromJSON(recorded) };
    }),
  );
  const code = tracedBundle(await readFile(inject('workflowBundlePath'), 'utf8'));
  const waiting = names.values();
  const failures: string[] = [];
  const sinks = { ...unobserved, spans: { ended: { fn: () => {} } } };
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { code }, sinks }, histories)) {
    const name = waiting.next().value ?? '';
    if (error !== undefined) failures.push(`${name}: ${error.message}`);
  }
  expect(failures).toEqual([]);
  expect(names.length).toBeGreaterThan(100);
});
