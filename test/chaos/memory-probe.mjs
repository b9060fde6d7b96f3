// Loaded into a worker beside the product: on SIGHUP it prints the memory figures of the process, after a garbage collection.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc');

process.on('SIGHUP', () => {
  collectGarbage();
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { rss, heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ probe: true, rss, heapUsed, external, resources })}\n`);
});
