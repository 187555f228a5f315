/**
 * What `npm start` runs: the embedded broker on its usual port, windows short enough to be seen at once, and detection for the
 * simulated press shop. Paths are relative to the folder in which it is started.
 */
export const demoConfiguration = `# The demonstration: an embedded broker with a simulated press shop.
gateway: { name: demo, tags: { site: press-shop } }

storage:
  path: .headgate
  keepFree: 100 MiB

sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:1883
    readings:
      - topic: sensors/_/+
        template: _/device/metric
        json: { time: ts }

series:
  - { series: "*/*temperature", unit: °C }
  - { series: "*/oil_pressure", unit: bar }
  - { series: "*/vibration", unit: mm/s }
  - { series: "*/flow", unit: l/min }
  - { series: "*/current", unit: A }
  - { series: "*/humidity", unit: "%" }

windows:
  - { name: 5s, series: "*", window: { tumbling: 5s, allowedLateness: 5s }, aggregates: [count, mean, min, max] }
  - { name: minute, series: "*", window: { tumbling: 1m, allowedLateness: 10s }, aggregates: [count, mean, min, max, stddev, p95] }

detect:
  - { series: press-1/oil_temperature, detector: range, min: 35, max: 60, alarm: { severity: critical, hold: 5s } }
  - { series: pump-1/flow, detector: flatline, for: 20s, alarm: { severity: warning, hold: 5s } }
  - { series: "*", detector: novelty, threshold: 0.5, alarm: { severity: warning, hold: 30s } }

# Something is wrong every minute here, for you to see: that is no flood.
alarms: { flood: { above: 0 } }

# Results wait in the outbox until an InfluxDB is there.
sinks:
  - { name: influx, type: influxdb, url: "http://localhost:8086", database: headgate }

api: { listen: 127.0.0.1:8080 }
`;
