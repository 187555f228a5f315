import type { TimeServiceAnswer } from '../gateway/base/time-service.ts';

/** A box that cannot tell whether its clock is synchronised: the gateway believes it at once. */
export const noTimeService = async (): Promise<TimeServiceAnswer> => ({ state: 'unknown', source: 'nobody' });
