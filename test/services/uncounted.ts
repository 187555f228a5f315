import type { GatewayStatus } from '../../gateway/core/view.ts';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { sinkImbalance } from '../../gateway/runtime/sink-ledger.ts';

/** How many readings and results the ledgers of a gateway miss: 0 when those of its sources and of every sink balance. */
export function uncounted({ ledger, sinks }: Pick<GatewayStatus, 'ledger' | 'sinks'>): number {
  const results = sinks.map((sink) => sinkImbalance(sink.ledger));
  return [imbalance(ledger), ...results].reduce((sum, missing) => sum + Math.abs(missing), 0);
}
