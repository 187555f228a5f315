import type { Configuration } from '../../config/configuration.ts';
import { MqttBroker } from '../../devices/mqtt/broker.ts';
import { SteadyClock } from '../../gateway/base/steady-clock.ts';
import { makeGateway } from '../../gateway/catalog/make-gateway.ts';
import { messageOf } from '../../gateway/core/errors.ts';
import type { History } from '../../gateway/core/sink.ts';
import type { Logger } from '../../gateway/core/telemetry.ts';
import type { Gateway } from '../../gateway/runtime/gateway.ts';
import type { CatchUp } from '../../gateway/runtime/lane.ts';
import type { FaultyDisk } from '../model/faulty-disk.ts';
import { plentyOfMemory } from '../plenty-of-memory.ts';
import type { SimBox } from './sim-box.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimStore } from './sim-store.ts';
import type { Trace } from './trace.ts';

const never = new AbortController().signal;

/** What outlives a process. */
export interface LifeParts {
  readonly configuration: Configuration;
  readonly box: SimBox;
  readonly random: () => number;
  readonly disk: FaultyDisk;
  readonly network: SimNetwork;
  readonly stores: Readonly<Record<string, SimStore>>;
  readonly catchUp: CatchUp;
  readonly history: History;
  readonly trace: Trace;
  /** Called just before the process dies, with the power or alone. */
  readonly onDeath: (gateway: Gateway, losesPower: boolean) => void;
}

/** One process of the gateway, from its start to its end. */
export class Life {
  readonly gateway: Gateway;
  readonly clock: SimClock;
  readonly #parts: LifeParts;
  #broker: MqttBroker | undefined;
  #isOver = false;
  #isStopping = false;
  /** Why it could not start, or go on. */
  failure: unknown;
  isRunning = false;
  /** The whole box was off. */
  lostPower = false;

  constructor(parts: LifeParts) {
    const { configuration, box, random, disk, network, stores, catchUp, history, trace } = parts;
    const logger = tracing(trace);
    this.#parts = parts;
    this.clock = box.startClock();
    const clock = new SteadyClock(this.clock);
    this.gateway = makeGateway(configuration, {
      clock,
      timeService: box.timeService,
      boot: box.bootName,
      memory: plentyOfMemory,
      random,
      logger,
      disk: disk.mount(),
      version: 'simulated',
      configurationText: '',
      failed: (error) => {
        // What is given up at the end of a stop is told too, and no fault.
        if (this.#isOver || this.#isStopping) return;
        this.failure = error;
        this.die('killed');
      },
      sources: (intake) =>
        configuration.sources.map((source) => {
          if (source.type !== 'mqtt' || source.role !== 'broker') throw new Error('only brokers are simulated');
          this.#broker = new MqttBroker(source, intake(source.name), {
            clock,
            logger,
            makeListener: network.listenerOf(() => this.#isOver),
          });
          return this.#broker;
        }),
      sinks: Object.entries(stores).map(([name, store]) => ({
        sink: store.sink(name, () => this.#isOver),
        options: { maxItems: 50, lingerMs: 100, catchUp },
      })),
      history,
    });
  }

  /** The process has ended, however. */
  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#parts.trace.add('start');
    this.gateway.start(never).then(
      () => {
        this.isRunning = !this.#isOver;
      },
      (error: unknown) => {
        if (this.#isOver) return;
        this.failure = error;
        this.die('killed');
      },
    );
  }

  /** SIGTERM: a clean stop, which may take so long. */
  stop(withinMs: number): void {
    const hurry = new AbortController();
    this.#parts.trace.add('stop');
    this.isRunning = false;
    this.#isStopping = true;
    void this.clock.sleep(withinMs).then(() => hurry.abort());
    this.gateway.stop(hurry.signal).then(
      () => this.#end(),
      (error: unknown) => {
        if (this.#isOver) return;
        this.failure = error;
        this.die('killed');
      },
    );
  }

  /** The process dies, or the whole box does. */
  die(how: 'killed' | 'power cut'): void {
    if (this.#isOver) return;
    this.#parts.trace.add(this.failure === undefined ? how : `${how}: ${messageOf(this.failure)}`);
    this.clock.die();
    this.lostPower = how === 'power cut';
    this.#parts.onDeath(this.gateway, this.lostPower);
    if (this.lostPower) this.#parts.disk.cutPower();
    else this.#parts.disk.kill();
    this.#parts.network.gatewayDied(how);
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.isRunning = false;
    this.clock.die();
    this.#parts.disk.kill();
    // What is left of the dead process can do nothing any more, but aedes' timers would keep it in memory.
    void this.#broker?.stop(never);
  }
}

/** A logger whose lines are part of the trace. */
function tracing(trace: Trace): Logger {
  const at = (level: string) => (details: object, message: string) => {
    trace.add(`${level}: ${message} ${JSON.stringify(details)}`);
  };
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}
