/** Lists of ServiceStage, which come in pages. */
import type { z } from 'zod';
import type { Query, Requests } from './requests.js';
import type { ReadOptions } from './service-stage.js';

/** Documented limits are 0 to 100, and 1000; anything else silently counts as 10. */
const PAGE_ROWS = 100;
/** Asked for only where the total shows that so many rows are left, and no more once a server gave fewer rows: it would need more pages than are read. */
const LARGE_PAGE_ROWS = 1_000;
/** Far more than any real cloud job or list has; stops an API that never returns a last page. */
export const MOST_PAGES = 200;

/** Reads all pages, until the total is reached or a page is empty. @throws ServiceStageError */
export async function readPages<Page extends { count?: number | null | undefined }, Row>(
  requests: Requests,
  path: string,
  options: ReadOptions,
  shape: z.ZodType<Page>,
  rowsOf: (page: Page) => readonly Row[] | null | undefined,
): Promise<Row[]> {
  const rows: Row[] = [];
  let limit = PAGE_ROWS;
  let largest = LARGE_PAGE_ROWS;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await requests.read(path, paging(rows.length, limit), options, (body) => shape.parse(body));
    const found = rowsOf(page) ?? [];
    rows.push(...found);
    if (isLastPage(found.length, rows.length, page.count)) break;
    if (found.length < limit) largest = PAGE_ROWS;
    limit = typeof page.count === 'number' && page.count - rows.length > PAGE_ROWS ? largest : PAGE_ROWS;
  }
  return rows;
}

/** Asks for the rows from `offset` on. */
export function paging(offset: number, limit = PAGE_ROWS): Query {
  return [
    ['limit', String(limit)],
    ['offset', String(offset)],
  ];
}

/** Without a total, the last page is the first one that is not full. */
export function isLastPage(onThisPage: number, soFar: number, total: number | null | undefined): boolean {
  if (onThisPage === 0) return true;
  return typeof total === 'number' ? soFar >= total : onThisPage !== PAGE_ROWS;
}
