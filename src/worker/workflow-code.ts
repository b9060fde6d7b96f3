/** The workflow code of this package, as workers and replays load it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TRACING_GLOBAL } from '../domain/tracing/trace-context.js';

const BUNDLE = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
const sourceOf = (module: string) => fileURLToPath(new URL(`../workflows/${module}`, import.meta.url));

/** How `Worker.create` and `Worker.runReplayHistories` take workflow code. */
export type WorkflowCode =
  | { readonly workflowBundle: { readonly codePath: string } | { readonly code: string } }
  | { readonly workflowsPath: string };

/**
 * The bundle made at build time. Sources have none, and are bundled when they are loaded; their workflows are not traced.
 *
 * @param traces whether the interceptors of the bundle trace
 */
export function workflowCode(traces = false): WorkflowCode {
  if (!existsSync(BUNDLE)) return { workflowsPath: sourceOf('index.js') };
  if (!traces) return { workflowBundle: { codePath: BUNDLE } };
  return { workflowBundle: { code: tracedBundle(readFileSync(BUNDLE, 'utf8')) } };
}

/** The code of a bundle whose workflows trace. */
export function tracedBundle(code: string): string {
  return `globalThis.${TRACING_GLOBAL} = true;${code}`;
}

/** The interceptors of workflows that are bundled when they are loaded. A bundle has them already. */
export function workflowInterceptors(): { workflowModules?: string[] } {
  return existsSync(BUNDLE) ? {} : { workflowModules: [sourceOf('interceptors.js')] };
}
