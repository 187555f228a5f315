import type { Analysis } from './analysis.ts';
import type { Command } from './command.ts';

/**
 * Lets a command do what it is for, in its place among the readings of the journal.
 *
 * @param gateway name of the gateway, whose own alarms bear it
 */
export function applyCommand(analysis: Analysis, command: Command, gateway: string): void {
  const { seriesAlarm, stages } = analysis;
  switch (command.type) {
    case 'acknowledge-alarm':
      analysis.apply((emit) => {
        const { id, time } = command;
        if (!seriesAlarm.acknowledge(id, time, emit)) stages.alarmDesk.acknowledge(id, time, emit);
      });
      break;
    case 'table-changed':
      stages.tables.replace(command.table, command.content);
      break;
    case 'series-refused':
      analysis.apply((emit) => seriesAlarm.refused(command, gateway, emit));
      break;
    case 'series-allowed':
      analysis.apply((emit) => seriesAlarm.allowed(command, emit));
      break;
    default:
      analysis.tell(command);
  }
}
