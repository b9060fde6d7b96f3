/** What another team would write about windows and freezes: every type on the way has a name to import. Compiled, never run. */
import type {
  ExpectedCounts,
  Freeze,
  GateReport,
  Guards,
  Plan,
  RunReport,
  RunSnapshot,
  WaitingForGate,
} from 'servicestage-runbooks';

export function whyItWaits({ run }: RunSnapshot): string {
  const waiting: WaitingForGate | undefined = run.waiting;
  return waiting === undefined ? 'it does not' : `${waiting.why} until ${new Date(waiting.givesUpAtMs).toISOString()}`;
}

export function closedBy({ gates = [] }: RunReport): readonly GateReport[] {
  const isClosed = ({ failure }: GateReport): boolean => failure === 'OutsideWindow' || failure === 'ChangeFreeze';
  return gates.filter(isClosed);
}

export function frozenDays({ guards }: Plan): readonly Freeze[] {
  const known: Guards | undefined = guards;
  return known?.coming ?? [];
}

export function countsItExpects({ targets }: Plan): readonly (ExpectedCounts | undefined)[] {
  return targets.flatMap(({ steps }) => steps.map((step) => (step.kind === 'action' ? step.expects : undefined)));
}
