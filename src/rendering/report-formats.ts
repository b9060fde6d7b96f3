/** The formats of a report that are files or parts of documents. */
import type { RunReport } from '../domain/report/report.js';
import { reportHtml } from './report-html.js';
import { reportMarkdown } from './report-markdown.js';

/** The renderer of each format, by the name that `runbook report --format` takes. */
export const DOCUMENT_FORMATS = {
  markdown: reportMarkdown,
  html: reportHtml,
} as const satisfies Readonly<Record<string, (report: RunReport) => string>>;
