/** Exports that still lack a docstring. The list may only get shorter. */
export const UNDOCUMENTED: readonly string[] = [
  'devices/decoders/json.ts  JsonTimeUnit',
  'devices/decoders/line-protocol.ts  LineProtocolOptions',
  'devices/decoders/line-protocol.ts  LinePrecision',
  'devices/mqtt/access.ts  MqttUser',
  'devices/mqtt/aedes-internals.ts  storeOf',
  'devices/mqtt/aedes-internals.ts  emitterOf',
  'devices/mqtt/broker.ts  MqttBrokerOptions',
  'devices/mqtt/broker.ts  MqttDependencies',
  'devices/mqtt/client.ts  MqttClientOptions',
  'devices/mqtt/client.ts  MqttClientTls',
  'devices/mqtt/listener.ts  ListenAddress',
  'devices/mqtt/listener.ts  TlsIdentity',
  'devices/mqtt/listener.ts  ListenerLimits',
  'devices/mqtt/session-bounds.ts  SessionLimits',
  'devices/opcua/options.ts  OpcuaPolicy',
  'devices/opcua/options.ts  OpcuaTrigger',
  'gateway/api/schemas.ts  Topic',
  'gateway/api/schemas.ts  ReadingsQuery',
  'gateway/api/schemas.ts  AggregatesQuery',
  'gateway/api/schemas.ts  AlarmsQuery',
  'gateway/api/schemas.ts  AcknowledgeParams',
  'gateway/api/schemas.ts  AcknowledgeBody',
  'gateway/api/schemas.ts  DeadLettersQuery',
  'gateway/api/schemas.ts  StreamQuery',
  'gateway/buffer/committer.ts  CommitterOptions',
  'gateway/buffer/format.ts  encodeHeader',
  'gateway/buffer/format.ts  recordItems',
  'gateway/buffer/format.ts  recordTime',
  'gateway/buffer/inspect.ts  LogReport',
  'gateway/buffer/recovery.ts  RecoveryOptions',
  'gateway/buffer/recovery.ts  Recovered',
  'gateway/buffer/retention.ts  RetentionOptions',
  'gateway/buffer/segment-log-options.ts  SegmentLogOptions',
  'gateway/commands/logger.ts  LoggerOptions',
  'gateway/core/log.ts  LogReader',
  'gateway/core/log.ts  LogCursor',
  'gateway/core/log.ts  LogStatus',
  'gateway/core/result.ts  Severity',
  'gateway/core/sink.ts  AggregateQuery',
  'gateway/core/sink.ts  AggregateRow',
  'gateway/core/sink.ts  AlarmQuery',
  'gateway/core/sink.ts  AlarmRow',
  'gateway/core/source.ts  SourceStatus',
  'gateway/core/view.ts  LiveReading',
  'gateway/core/view.ts  ReadingRow',
  'gateway/core/view.ts  ReadingsQuery',
  'gateway/core/view.ts  SeriesStatus',
  'gateway/core/view.ts  SinkStatus',
  'gateway/core/view.ts  GatewayStatus',
  'gateway/detect/detect-stage.ts  DetectStageOptions',
  'gateway/detect/detect-table.ts  DetectTableOptions',
  'gateway/detect/flatline.ts  FlatlineOptions',
  'gateway/detect/range.ts  RangeOptions',
  'gateway/detect/rate-of-change.ts  RateOfChangeOptions',
  'gateway/detect/rule.ts  AlarmRule',
  'gateway/pipeline/normalise.ts  NormaliseLimits',
  'gateway/pipeline/snapshot.ts  numberOf',
  'gateway/pipeline/snapshot.ts  textOf',
  'gateway/pipeline/watermark.ts  WatermarkOptions',
  'gateway/pipeline/window-snapshot.ts  RestoredWindows',
  'gateway/pipeline/windows.ts  WindowStageOptions',
  'gateway/runtime/admission.ts  AdmissionParts',
  'gateway/runtime/analysis.ts  AnalysisParts',
  'gateway/runtime/forwarder.ts  ForwarderOptions',
  'gateway/runtime/forwarder.ts  ForwarderParts',
  'gateway/runtime/recovery.ts  RecoveryParts',
];

const DECLARATION = /^export (?:abstract |async |default )*(?:function\*?|class|interface|type) (\w+)/;

/** Names of exported functions, classes, interfaces and types without a docstring above them. */
export function undocumented(text: string): readonly string[] {
  const lines = text.split('\n');
  const isDocumented = (index: number) => /\*\/\s*$/.test(lines[index - 1] ?? '');
  return lines.flatMap((line, index) => {
    const name = DECLARATION.exec(line)?.[1];
    if (name === undefined || isDocumented(index)) return [];
    // The type of a list of words stands below it: `export const Quality = …; export type Quality = …`.
    const twin = lines.findIndex((other) => other.startsWith(`export const ${name} =`));
    return twin > 0 && isDocumented(twin) ? [] : [name];
  });
}
