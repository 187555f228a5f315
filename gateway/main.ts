import { setMaxListeners } from 'node:events';
import { Command, CommanderError } from 'commander';
import { systemClock } from './base/system-clock.ts';
import { checkCommand } from './commands/check.ts';
import { demoCommand } from './commands/demo.ts';
import { detectCommand } from './commands/detect.ts';
import { initCommand } from './commands/init.ts';
import { logCommand } from './commands/log.ts';
import { replayCommand } from './commands/replay.ts';
import { runCommand } from './commands/run.ts';
import { simulateCommand } from './commands/simulate.ts';
import { ExitCode, type Surroundings } from './commands/surroundings.ts';
import { version } from './commands/version.ts';
import { GatewayError } from './core/errors.ts';

/** What the shell is told: the user can mend it, the command line is wrong, a fault of ours. */
const EXIT_MENDABLE = 1;
const EXIT_USAGE = 2;
const EXIT_FAULT = 70;

/** The front door: the only place that knows the command line, the environment and the exit code. */
async function main(): Promise<number> {
  const surroundings = surroundingsOfProcess();
  try {
    await commandLine(surroundings).parseAsync(process.argv);
    return 0;
  } catch (error) {
    return tell(error, surroundings);
  }
}

function commandLine(surroundings: Surroundings): Command {
  const program = new Command('headgate')
    .description('IoT edge gateway with real-time analytics: what it acknowledged, it keeps')
    .version(version);
  const commands = [
    runCommand,
    demoCommand,
    initCommand,
    checkCommand,
    replayCommand,
    detectCommand,
    simulateCommand,
    logCommand,
  ];
  for (const command of commands) program.addCommand(command(surroundings));
  return withExitOverride(program);
}

/** Commander would end the process itself; here only `main` does. */
function withExitOverride(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) withExitOverride(child);
  return command;
}

function tell(error: unknown, surroundings: Surroundings): number {
  if (error instanceof ExitCode) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof GatewayError) {
    surroundings.err(`${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
    return EXIT_MENDABLE;
  }
  surroundings.err(
    `This is a fault of Headgate, not yours:\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT_FAULT;
}

function surroundingsOfProcess(): Surroundings {
  return {
    environment: process.env,
    workingFolder: process.cwd(),
    clock: systemClock,
    random: Math.random,
    out: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    err: (text) => {
      process.stderr.write(text);
    },
    isTerminal: process.stderr.isTTY === true,
    signal: abortedByTheSystem(),
  };
}

/** The first SIGINT or SIGTERM asks for a clean stop; a second one ends the process at once. */
function abortedByTheSystem(): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_FAULT);
      controller.abort();
    });
  }
  // A reader that has seen enough, as in `headgate log dump | head`, is no fault.
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

process.exitCode = await main();
// Libraries may leave timers behind; what had to be written is written.
process.exit();
