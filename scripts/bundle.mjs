// Bundles the compiled workflow code into dist/workflow-bundle.js, only when it has changed, and makes the command line executable.
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const bundleFile = join(dist, 'workflow-bundle.js');
const stampFile = join(dist, 'workflow-bundle.hash');

const stamp = await inputsHash();
if ((await readFile(stampFile, 'utf8').catch(() => '')) !== stamp) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(dist, 'workflows', 'index.js'),
    payloadConverterPath: join(dist, 'workflows', 'payload-converter.js'),
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(bundleFile, code);
  await writeFile(stampFile, stamp);
}
await chmod(join(dist, 'cli', 'main.js'), 0o755);

/** Everything the bundle is made of: our own code and the versions of all packages. */
async function inputsHash() {
  const hash = createHash('sha256');
  for (const folder of ['workflows', 'domain']) {
    const names = await readdir(join(dist, folder), { recursive: true });
    for (const name of names.filter((entry) => entry.endsWith('.js')).sort()) {
      hash.update(name).update(await readFile(join(dist, folder, name)));
    }
  }
  hash.update(await readFile(new URL('../package-lock.json', import.meta.url)));
  return hash.digest('hex');
}
