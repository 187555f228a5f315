import type { Bound } from '../core/memory.ts';
import type { GatewayStatus, GatewayView } from '../core/view.ts';

/** The status as the API gives it: that of the gateway, and why it is not ready. */
export type StatusReply = GatewayStatus & { readonly notReady: readonly string[] };

/** Adds to a status whether the gateway can accept and keep data, and what the API holds in memory. */
export function statusReply(view: GatewayView, status: GatewayStatus, bounds: readonly Bound[]): StatusReply {
  const memory = { ...status.memory, bounds: [...status.memory.bounds, ...bounds] };
  return { ...status, memory, notReady: view.notReady() };
}
