/** Names that files may give: to runbooks, schedules, alarm rules, their owners, and steps. */

/** Names of runbooks, schedules, alarm rules and their owners. They have no slash and no colon, so that the ids made from them differ. A runbook's name is its workflow type. */
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** What would be right instead of a text that is not a name. */
export const NAME_REMEDY = 'Write lower-case letters, digits and dashes, beginning with a letter';

/** A name that would collide with the workflow bundle's own exports, or with what every object has. */
export function isReservedName(name: string): boolean {
  return ['run', 'default', 'target-run', 'alarm-rule', ...Object.getOwnPropertyNames(Object.prototype)].includes(name);
}
