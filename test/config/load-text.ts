import type { Configuration } from '../../config/configuration.ts';
import { formatProblems, type LoadOptions, loadConfiguration, type Problem } from '../../config/load.ts';
import { vocabulary } from '../../gateway/catalog/vocabulary.ts';

type Options = Partial<Omit<LoadOptions, 'vocabulary'>>;

/** The problems of a text; empty when there are none. */
export function problemsOf(text: string, options: Options = {}): readonly Problem[] {
  const loaded = loadConfiguration(text, {
    fileName: '/etc/headgate/gateway.yaml',
    environment: {},
    vocabulary,
    ...options,
  });
  return 'problems' in loaded ? loaded.problems : [];
}

/** The configuration of a text that must have no problems. */
export function configurationOf(text: string, options: Options = {}): Configuration {
  const loaded = loadConfiguration(text, {
    fileName: '/etc/headgate/gateway.yaml',
    environment: {},
    vocabulary,
    ...options,
  });
  if ('configuration' in loaded) return loaded.configuration;
  throw new Error(`the configuration has problems:\n${formatProblems(loaded.problems, 'test', text)}`);
}

/** Problems as `line:column path: message`, short enough to compare. */
export function briefly(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}
