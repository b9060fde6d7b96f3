/** The workflow code of this package, as workers and replays load it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How `Worker.create` and `Worker.runReplayHistories` take workflow code. */
export type WorkflowCode =
  { readonly workflowBundle: { readonly codePath: string } } | { readonly workflowsPath: string };

/** The bundle made at build time. Sources have none, and are bundled when they are loaded. */
export function workflowCode(): WorkflowCode {
  const codePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  return existsSync(codePath)
    ? { workflowBundle: { codePath } }
    : { workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)) };
}
