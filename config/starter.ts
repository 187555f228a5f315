/** What a starter configuration is made of. */
export interface StarterOptions {
  /** Name of the gateway: letters, digits, `_`, `.` and `-`. @default my-gateway */
  readonly name?: string;
  /** Fresh random bytes, fit for passwords. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/**
 * A commented configuration to start from, which runs as it is: sensors of the network may publish with the generated password, the page is on
 * this machine, results go to the history on the box. It holds a password: write it to a file that only its owner can read.
 */
export function starterConfiguration({ name = 'my-gateway', randomBytes }: StarterOptions): string {
  const password = Buffer.from(randomBytes(18)).toString('base64url');
  return `# A Headgate gateway. Check it with \`headgate check gateway.yaml\`, run it with \`headgate run --config gateway.yaml\`.
# It holds a password: keep it readable by its owner only. Every option is explained in config/gateway.yaml of Headgate.

gateway:
  name: ${name}
  # tags: { site: plant-7 }        # go onto everything that leaves this gateway

storage:
  path: data                       # relative to the folder of this file
  sync: always                     # always | 1s | never: what a power cut may cost

sources:
  # An MQTT broker for your sensors. Try it, with the password that stands below:
  #   mosquitto_pub -u sensors -P 'PASSWORD' -q 1 -t sensors/desk/temperature -m '{"value": 21.5}'
  - name: floor
    type: mqtt
    listen: 0.0.0.0:1883           # 127.0.0.1:1883 keeps it to this machine
    users:
      - { name: sensors, password: "${password}" }
    readings:
      - topic: sensors/_/+         # sensors/<device>/<metric>
        template: _/device/metric
        json: { time: ts }          # 21.5 or {"value": 21.5}; without ts it gets the time it was received

  # A PLC over OPC-UA.
  # - name: press
  #   type: opcua
  #   endpoint: opc.tcp://press.local:4840
  #   nodes:
  #     - { id: "nsu=http://acme.example/press;s=Oil.Temperature", device: press-1, metric: oil_temperature, unit: °C }

windows:
  - { name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 10s }, aggregates: [count, mean, min, max, stddev, p95] }

detect:
  - { series: "*", detector: auto, alarm: { severity: warning, hold: 30s } }        # learns what is normal
  # - { series: desk/temperature, detector: range, min: 10, max: 30, alarm: { severity: critical } }

# Results are always kept on this box, for the page and the API. To send them to an InfluxDB as well:
# sinks:
#   - { name: influx, type: influxdb, url: "http://localhost:8086", database: headgate }

api:
  listen: 127.0.0.1:8080           # the page: http://127.0.0.1:8080
`;
}
