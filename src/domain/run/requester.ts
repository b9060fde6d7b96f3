/** Who requested a run that no person started, as reports, lists and summaries name it. Pure. */

/** @param id of the schedule, `OWNER/NAME` */
export function scheduleRequester(id: string): string {
  return `schedule ${id}`;
}

/** @param name of the alarm rule, `OWNER/NAME` */
export function alarmRuleRequester(name: string): string {
  return `alarm rule ${name}`;
}
