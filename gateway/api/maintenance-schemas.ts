import { type Static, Type } from 'typebox';
import { closed, nullable, time } from './schema-words.ts';

const words = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });

/** A maintenance as people are shown it. */
export const Maintenance = Type.Object({
  id: nullable(Type.String({ description: 'By which it can be stopped; null where the configuration plans it' })),
  series: Type.String({ description: 'Pattern of the series' }),
  by: nullable(Type.String({ description: 'Who has started it' })),
  reason: nullable(Type.String()),
  active: Type.Boolean({ description: 'Whether it is on just now' }),
  from: nullable(time('Begins, or began; of a weekly one the present time or the next')),
  until: nullable(time('Is over')),
});

/** The answer of `GET /api/v1/maintenance`. */
export const MaintenanceReply = Type.Object({ maintenance: Type.Array(Maintenance) });

/** The body of `POST /api/v1/maintenance`. */
export const MaintenanceBody = Type.Object(
  {
    series: words(512, 'Pattern of the series, as in the configuration: press-1/* or */temperature'),
    forSeconds: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1e8,
      description: 'How long; at most alarms.maxMaintenance of the configuration',
    }),
    reason: words(512, 'Why'),
    by: Type.Optional(words(64, 'Who does it')),
  },
  closed,
);
export type MaintenanceBody = Static<typeof MaintenanceBody>;

/** The path of `POST /api/v1/maintenance/{id}/stop`. */
export const MaintenanceParams = Type.Object({ id: words(2048, 'Id of the maintenance, percent-encoded') });
export type MaintenanceParams = Static<typeof MaintenanceParams>;
