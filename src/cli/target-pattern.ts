/** The pattern of `runbook targets`: `application/component/instance` by names or ids, with `*` for any characters. Pure. */

/** One test for each part. */
export type TargetPattern = readonly [PartTest, PartTest, PartTest];

/** True if the part of a target with this name and id is meant. */
type PartTest = (entity: { readonly name: string; readonly id: string }) => boolean;

const MOST_PARTS = 3;

/** Parts that are left out are `*`: `shop` means everything of the application `shop`. `null` if there are more than three, or an empty one. */
export function targetPattern(text: string): TargetPattern | null {
  const parts = text.split('/');
  if (parts.length > MOST_PARTS || parts.some((part) => part === '')) return null;
  const [application = '*', component = '*', instance = '*'] = parts;
  return [partTest(application), partTest(component), partTest(instance)];
}

function partTest(part: string): PartTest {
  const pieces = part.split('*');
  return ({ name, id }) => matches(name, pieces) || matches(id, pieces);
}

/** Without a regular expression, whose time could grow fast with many stars. */
function matches(text: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return true;
}
