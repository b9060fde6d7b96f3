/** Who types: stands in reports and in the notes of schedules. */
import { userInfo } from 'node:os';

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container may run as a user without a name.
  }
}
