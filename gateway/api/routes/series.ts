import type { FastifyInstance } from 'fastify';
import { SeriesReply } from '../readings-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/series`: every series with its last reading. */
export function seriesRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get(
    '/api/v1/series',
    {
      schema: {
        tags: ['data'],
        summary: 'Every series: key, tags, unit, last reading, quality, rate, watermark',
        response: { 200: SeriesReply },
      },
    },
    async () => ({ series: view.series() }),
  );
}
