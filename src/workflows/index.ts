/** The workflows of the bundle: `targetRun`, `alarmRule`, and the default one, which runs every runbook under its name. A named export hides a runbook of that name. */
export { alarmRule } from './alarm-rule.js';
export { targetRun } from './target-run.js';
export { run as default } from './run.js';
// The SDK finds a workflow type as a property of this module, and every object has the properties below. Without these exports a run with the
// workflow type `toString` would call the function of that name and end as if it had succeeded.
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
