import { setMaxListeners } from 'node:events';
import { Command, CommanderError } from 'commander';
import { systemClock } from './base/system-clock.ts';
import { ExitCode, type Surroundings } from './commands/surroundings.ts';
import { version } from './commands/version.ts';
import { GatewayError } from './core/errors.ts';

/** Each command is loaded only when it is asked for, or when help lists them all: a gateway needs no CSV parser in its memory. */
const COMMANDS: Readonly<Record<string, () => Promise<(surroundings: Surroundings) => Command>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  replay: async () => (await import('./commands/replay.ts')).replayCommand,
  detect: async () => (await import('./commands/detect.ts')).detectCommand,
  simulate: async () => (await import('./commands/simulate.ts')).simulateCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  log: async () => (await import('./commands/log.ts')).logCommand,
};

/** What the shell is told: the user can mend it, the command line is wrong, a fault of ours. */
const EXIT_MENDABLE = 1;
const EXIT_USAGE = 2;
const EXIT_FAULT = 70;

/** The front door: the only place that knows the command line, the environment and the exit code. */
async function main(): Promise<number> {
  const surroundings = surroundingsOfProcess();
  try {
    const program = await commandLine(process.argv[2] ?? '', surroundings);
    await program.parseAsync(process.argv);
    return 0;
  } catch (error) {
    return tell(error, surroundings);
  }
}

async function commandLine(asked: string, surroundings: Surroundings): Promise<Command> {
  const program = new Command('headgate')
    .description('IoT edge gateway with real-time analytics: what it acknowledged, it keeps')
    .version(version);
  const names = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of names) program.addCommand((await COMMANDS[name]!())(surroundings));
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
  const environment = { ...process.env };
  // Programs that are asked something, as timedatectl is, would tell systemd of their own failures as if they were the service's.
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name];
  return {
    environment,
    workingFolder: process.cwd(),
    pid: process.pid,
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

/** Calls that Node makes on its threads; `process.exit` waits for them to return, and a disk that hangs does not. */
const ON_A_THREAD = /^(FSReq|GetAddrInfo|GetNameInfo)/;
const END_WITHIN_MS = 100;

/** Libraries may leave timers and sockets behind; what had to be written is written. */
async function end(): Promise<void> {
  const begun = systemClock.monotonicMs();
  while (process.getActiveResourcesInfo().some((resource) => ON_A_THREAD.test(resource))) {
    if (systemClock.monotonicMs() - begun > END_WITHIN_MS) endAtOnce();
    await systemClock.sleep(10);
  }
  process.exit();
}

/** Waits for nothing. */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The first SIGINT or SIGTERM asks for a clean stop; a second one ends the process at once. */
function abortedByTheSystem(): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) endAtOnce();
      controller.abort();
    });
  }
  // A process that was started with a channel to its parent ends with it, however that came to its end.
  process.once('disconnect', () => controller.abort());
  // A reader that has seen enough, as in `headgate log dump | head`, is no fault.
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

process.exitCode = await main();
await end();
