import type { Environment } from '@marcbachmann/cel-js';

/** Of one number, as `Math` knows them. */
const OF_ONE = [
  'abs',
  'ceil',
  'cos',
  'exp',
  'floor',
  'log',
  'log10',
  'log2',
  'round',
  'sign',
  'sin',
  'sqrt',
  'tan',
] as const;
/** Of two numbers. */
const OF_TWO = ['atan2', 'hypot', 'max', 'min', 'pow'] as const;
/** The library's own that are let through: the same on every box, and done at once. */
const OF_LIBRARY = ['double', 'has', 'string'] as const;
/** The same, called on a text: `device.startsWith("press")`. */
const OF_TEXT = ['contains', 'endsWith', 'lowerAscii', 'startsWith', 'upperAscii'] as const;

const FREE: ReadonlySet<string> = new Set([...OF_ONE, ...OF_TWO, ...OF_LIBRARY]);
const METHODS: ReadonlySet<string> = new Set(OF_TEXT);

/** The functions of expressions, for a person. */
export const allowedFunctions: string = [...[...FREE].sort(), ...OF_TEXT.map((name) => `TEXT.${name}`)].join(', ');

/** Whether an expression may call the function, `onText` as a method of a text. */
export function isAllowedCall(name: string, onText: boolean): boolean {
  return (onText ? METHODS : FREE).has(name);
}

/** Adds the functions of numbers, and the remainder, which CEL has for whole numbers only. */
export function registerFunctions(environment: Environment): void {
  for (const name of OF_ONE) environment.registerFunction(`${name}(double): double`, (x: number) => Math[name](x));
  for (const name of OF_TWO) {
    environment.registerFunction(`${name}(double, double): double`, (x: number, y: number) => Math[name](x, y));
  }
  environment.registerOperator('double % double', (x: number, y: number) => x % y);
}
