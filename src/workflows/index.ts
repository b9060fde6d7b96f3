/** The bundle's surface: `targetRun`, and the default that runs every runbook by its name. A named export shadows a runbook of that name. */
export { targetRun } from './target-run.js';
export { run as default } from './run.js';
