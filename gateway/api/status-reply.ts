import type { GatewayStatus, GatewayView } from '../core/view.ts';

/** The status as the API gives it: that of the gateway, and why it is not ready. */
export type StatusReply = GatewayStatus & { readonly notReady: readonly string[] };

/** Adds to a status whether the gateway can accept and keep data. */
export function statusReply(view: GatewayView, status: GatewayStatus): StatusReply {
  return { ...status, notReady: view.notReady() };
}
