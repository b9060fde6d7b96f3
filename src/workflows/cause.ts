/** Keeps the request that a workflow deals with at the moment. An alarm rule lives for months: what it starts belongs to the trace of the alarm, not to the rule's own. */

let current: object | null = null;

/** @param request `null`: what follows has no request */
export function setCurrentRequest(request: object | null): void {
  current = request;
}

/** The request that was given last. */
export function currentRequest(): object | null {
  return current;
}
