/** The whole text of a history with decoded payloads, to check that it does not contain something. */
export function textOfHistory(history: unknown): string {
  const json = JSON.stringify(history);
  const payloads = [...json.matchAll(/"data":"([^"]*)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  return [json, ...payloads].join('\n');
}
