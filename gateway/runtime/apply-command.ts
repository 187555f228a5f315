import type { Analysis } from './analysis.ts';
import type { Command } from './command.ts';

/**
 * Lets a command do what it is for, in its place among the readings of the journal.
 *
 * @param gateway name of the gateway, whose own alarms bear it
 */
export function applyCommand(analysis: Analysis, command: Command, gateway: string): void {
  const { seriesAlarm, stages } = analysis;
  const { alarmDesk } = stages;
  switch (command.type) {
    case 'acknowledge-alarm':
      analysis.apply((emit) => alarmDesk.acknowledge(command, emit), 'desk');
      break;
    case 'shelve-alarm':
      analysis.apply((emit) => alarmDesk.shelve(command, command.until, command.reason, emit), 'desk');
      break;
    case 'unshelve-alarm':
      analysis.apply((emit) => alarmDesk.unshelve(command, emit), 'desk');
      break;
    case 'dismiss-alarm':
      analysis.apply((emit) => alarmDesk.dismiss(command, command.reason, emit), 'desk');
      break;
    case 'start-maintenance':
      stages.maintenance.start(command.maintenance);
      break;
    case 'stop-maintenance':
      stages.maintenance.stop(command.id, command.time);
      break;
    case 'table-changed':
      stages.tables.replace(command.table, command.content);
      break;
    case 'series-refused':
      analysis.apply((emit) => seriesAlarm.refused(command, gateway, emit), 'stage');
      break;
    case 'series-allowed':
      analysis.apply((emit) => seriesAlarm.allowed(command, emit), 'stage');
      break;
    default:
      analysis.tell(command);
  }
}
