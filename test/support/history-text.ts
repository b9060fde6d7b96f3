/** All that a history says, payloads decoded: for looking for what must not stand in it. */
export function textOfHistory(history: unknown): string {
  const json = JSON.stringify(history);
  const payloads = [...json.matchAll(/"data":"([^"]*)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  return [json, ...payloads].join('\n');
}
