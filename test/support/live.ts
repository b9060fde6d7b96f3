/** The live view without a terminal: its text, and a terminal that shows what was written to it. */
import type { Colors } from '../../src/cli/colors.js';
import { frame, type Size } from '../../src/cli/live/frame.js';
import { progressBlocks } from '../../src/cli/render-progress.js';
import type { RunSnapshot } from '../../src/client/report-snapshot.js';

/** As much room as anything needs. */
const LARGE: Size = { columns: 400, rows: 1_000 };

/** The run as the live view shows it. @param nowMs epoch milliseconds */
export function renderProgress(snapshot: RunSnapshot, nowMs: number, colors: Colors, size: Size = LARGE): string {
  return frame({ run: progressBlocks(snapshot, nowMs, colors), foot: [] }, size, colors).join('\n');
}
