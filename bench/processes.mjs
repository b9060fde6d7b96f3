// What a process has used so far, from /proc.
import { readFileSync } from 'node:fs';

/** User and system time, milliseconds; a tick is 10 ms. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory now, MB. */
export function memoryMb(pid) {
  return statusMb(pid, 'VmRSS');
}

/** The most resident memory since the process began, MB. */
export function peakMemoryMb(pid) {
  return statusMb(pid, 'VmHWM');
}

function statusMb(pid, name) {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;
}
