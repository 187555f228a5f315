import type { Logger } from '../gateway/core/telemetry.ts';

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly details: object;
}

/** A logger that keeps its lines for a test to read; children write into the same lines. */
export function recordingLogger(
  lines: Line[] = [],
  bindings: object = {},
): Logger & { readonly lines: readonly Line[] } {
  const at = (level: Line['level']) => (details: object, message: string) => {
    lines.push({ level, message, details: { ...bindings, ...details } });
  };
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => recordingLogger(lines, { ...bindings, ...more }),
  };
}
