/** The lowest lines of the live view: what the last command led to, what is asked, and the keys. Pure. */
import type { RunSnapshot } from '../../client/report-snapshot.js';
import { shortHash } from '../../domain/plan/plan.js';
import { printable } from '../../domain/text/text.js';
import type { Colors } from '../colors.js';
import { cutLine, wrapped, BLANK, type Line } from './lines.js';
import type { Mode } from './live.js';
import { offerOf, possibleOrders, type Order } from './orders.js';

/** What the lines depend on. */
export interface Foot {
  readonly mode: Mode;
  /** What was typed and ignored is explained; `null`: nothing was. */
  readonly hint: string | null;
  readonly snapshot: RunSnapshot | null;
  /** Who commands. */
  readonly actor: string;
  /** Keys are read: input and output are a terminal. */
  readonly hasKeys: boolean;
}

/** @returns the lines below the run */
export function footLines({ mode, hint, snapshot, actor, hasKeys }: Foot, colors: Colors): Line[] {
  if (!hasKeys) return [];
  const ignored = hint === null ? [] : [wrapped(0, colors.warn(hint))];
  switch (mode.name) {
    case 'watching': {
      const notice =
        mode.notice === null
          ? []
          : [wrapped(0, (mode.notice.isRefused ? colors.bad : colors.bold)(printable(mode.notice.text)))];
      return [BLANK, ...notice, ...ignored, keyLine(snapshot, colors)];
    }
    case 'asking':
      return [
        BLANK,
        ...question(mode.order, actor, colors),
        // The end of a long reason is what is being typed.
        wrapped(0, `Why? ${mode.reason.slice(-LONGEST_TYPED)}_`),
        ...ignored,
        cutLine(0, colors.dim(`Enter ${offerOf(mode.order).isConfirmed ? 'continues' : 'sends it'}, Esc goes back`)),
      ];
    case 'confirming':
      return [
        BLANK,
        ...question(mode.order, actor, colors),
        wrapped(0, `Why: ${mode.reason}`),
        ...ignored,
        wrapped(0, colors.warn(printable(`Type y to ${named(mode.order)}, n to go back`))),
      ];
    case 'sending':
      return [
        BLANK,
        wrapped(0, colors.warn(`${offerOf(mode.order).word}: waits for the answer of a worker …`)),
        ...ignored,
        keyLine(null, colors),
      ];
  }
}

/** Chosen: about two lines of a terminal. */
const LONGEST_TYPED = 140;

/** The command, and what it is about. */
function named(order: Order): string {
  const { word } = offerOf(order);
  return order.about === '' ? word : `${word} ${order.about}`;
}

function question(order: Order, actor: string, colors: Colors): Line[] {
  const { means } = offerOf(order);
  const plan = order.planHash === undefined ? '' : ` the plan ${shortHash(order.planHash)}`;
  return [
    wrapped(0, colors.bold(printable(named(order)))),
    wrapped(0, printable(`as ${actor};${plan === '' ? '' : `${plan};`} ${means}`)),
  ];
}

function keyLine(snapshot: RunSnapshot | null, colors: Colors): Line {
  const keys = (snapshot === null ? [] : possibleOrders(snapshot)).map((order) => {
    const { key, word } = offerOf(order);
    return `${colors.bold(key)} ${word}`;
  });
  return wrapped(0, [...keys, `${colors.bold('q')} leave`].join('   '));
}
