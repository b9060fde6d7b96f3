// A worker of plain Temporal, as one would write it first; the other side of side-by-side.mjs, which passes its options as JSON.
import { NativeConnection, Worker } from '@temporalio/worker';
import { bareActivities } from './activities.mjs';

const { address, taskQueue, codePath, ...access } = JSON.parse(process.argv[2]);
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath },
  activities: bareActivities(access),
  // The default of 100 would let no more steps than that wait at once. Everything else is as the SDK has it.
  maxConcurrentActivityTaskExecutions: 5_000,
});
console.log('ready');
await worker.run();
