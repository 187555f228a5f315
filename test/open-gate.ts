import type { Gate } from '../gateway/core/stage.ts';

/** Lets every reading go on. */
export const openGate: Gate = { passes: () => true, counts: () => [], snapshot: () => undefined, restore: () => {} };
