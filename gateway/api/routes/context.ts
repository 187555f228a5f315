import type { LineWrites } from '../../core/line-writes.ts';
import type { GatewayView } from '../../core/view.ts';
import type { EventHub } from '../event-hub.ts';
import type { MqttUpgrade } from '../mqtt-upgrade.ts';
import type { PageFiles } from '../page-files.ts';
import type { TapStreams } from '../tap-streams.ts';

/** Who has done something where the caller does not say. */
export const ANONYMOUS = 'anonymous';

/** What the routes work with. */
export interface RouteContext {
  readonly view: GatewayView;
  readonly hub: EventHub;
  readonly taps: TapStreams;
  readonly upgrade: MqttUpgrade;
  readonly files: PageFiles;
  /** Where line protocol goes; undefined where nothing can be written. */
  readonly writes: LineWrites | undefined;
}
