const TIMEOUT_MS = 10_000;

/** Asks the gateway; rejects with its own words where it answers with a problem. */
export async function fetchJson<T>(
  path: string,
  parameters: Record<string, string | number | undefined> = {},
): Promise<T> {
  return request<T>(withParameters(path, parameters), {});
}

/** Tells the gateway to do something. */
export async function postJson<T>(path: string, body: object): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  const { detail, hint } = body as { detail?: string; hint?: string };
  throw new Error([detail ?? `the gateway answered ${response.status}`, hint].filter(Boolean).join(': '));
}

function withParameters(path: string, parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? path : `${path}?${query}`;
}
