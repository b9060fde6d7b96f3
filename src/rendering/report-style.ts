/** The style sheet of the HTML report: light and dark by what the reader's system prefers, and readable on paper. */

/** CSS, without anything from outside the file. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --panel: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --busy: #0969da; --still: #8c959f; --job: #8250df;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --panel: #151b23;
    --good: #3fb950; --bad: #f85149; --warn: #d29922; --busy: #58a6ff; --still: #6e7681; --job: #bc8cff;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 24px 20px 48px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 32px 0 8px; padding-top: 16px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 4px; }
code, pre, .id { font-family: ui-monospace, 'SF Mono', Consolas, 'DejaVu Sans Mono', monospace; font-size: 13px; }
.badge { display: inline-block; padding: 2px 10px; border-radius: 12px; color: var(--ground); background: var(--still);
  font-size: 13px; font-weight: 600; vertical-align: 3px; }
.badge.good { background: var(--good); } .badge.bad { background: var(--bad); } .badge.warn { background: var(--warn); }
.good-text { color: var(--good); } .bad-text { color: var(--bad); } .warn-text { color: var(--warn); }
.meaning { font-size: 17px; margin: 0 0 16px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; }
dt { color: var(--soft); } dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 640px; font-size: 14px; overflow-wrap: break-word; }
th { text-align: left; white-space: nowrap; color: var(--soft); font-weight: 500; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.result { min-width: 110px; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.failure { background: var(--panel); border-left: 3px solid var(--bad); padding: 8px 12px; margin: 8px 0; white-space: pre-wrap; }
.next { background: var(--panel); border-left: 3px solid var(--busy); padding: 8px 12px; margin: 24px 0 0; }
.next code { display: block; font-size: 14px; margin-top: 4px; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); }
svg { display: block; width: 100%; min-width: 640px; height: auto; margin: 8px 0; font-family: inherit; }
svg text { fill: var(--ink); font-size: 13px; }
svg .time, svg .length { fill: var(--soft); font-size: 12px; }
svg .tick { stroke: var(--line); stroke-width: 1; }
svg rect { fill: var(--still); }
svg .succeeded, svg .skipped, svg .open { fill: var(--good); }
svg .failed, svg .indeterminate, svg .compensationFailed, svg .expired { fill: var(--bad); }
svg .cancelled, svg .compensated, svg .refused, svg .closed { fill: var(--warn); }
svg .skipped { fill-opacity: 0.45; }
svg .wait { fill-opacity: 0.35; }
svg .undo { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
svg .cloudJob { fill: var(--job); }
svg .reading { fill: var(--ground); stroke: var(--ink); stroke-width: 2; }
svg .attempt { stroke: var(--ground); stroke-width: 2; }
.legend { color: var(--soft); font-size: 13px; margin: 32px 0 0; padding-top: 8px; border-top: 1px solid var(--line); }
@media print { body { max-width: none; } details > * { display: block; } }
`;
