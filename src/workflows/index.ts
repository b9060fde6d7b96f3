/** The bundle's surface: `targetRun`, `alarmRule`, and the default that runs every runbook by its name. A named export shadows a runbook of that name. */
export { alarmRule } from './alarm-rule.js';
export { targetRun } from './target-run.js';
export { run as default } from './run.js';
// The SDK looks a workflow type up as a property of this module, and every object has these: without them a run typed
// as `toString` would call the function of that name and end as if it had succeeded.
export {
  run as constructor,
  run as hasOwnProperty,
  run as isPrototypeOf,
  run as propertyIsEnumerable,
  run as toLocaleString,
  run as toString,
  run as valueOf,
  run as __defineGetter__,
  run as __defineSetter__,
  run as __lookupGetter__,
  run as __lookupSetter__,
} from './run.js';
