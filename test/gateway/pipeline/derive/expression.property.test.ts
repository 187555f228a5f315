import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DERIVATION_NAMES } from '../../../../gateway/pipeline/derive/derivation.ts';
import { Expression } from '../../../../gateway/pipeline/derive/expression.ts';

/** A formula as its text, and as what JavaScript makes of it. */
interface Formula<T> {
  readonly text: string;
  readonly of: (value: number) => T;
}

const numeral: fc.Arbitrary<Formula<number>> = fc.oneof(
  fc.nat({ max: 1000 }).map((n) => ({ text: String(n), of: () => n })),
  fc.double({ min: 0, max: 100, noNaN: true }).map((n) => ({ text: n.toFixed(3), of: () => Number(n.toFixed(3)) })),
  fc.constant({ text: 'value', of: (value: number) => value }),
);

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
};

const { number } = fc.letrec<{ number: Formula<number>; condition: Formula<boolean> }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    { weight: 2, arbitrary: numeral },
    {
      weight: 4,
      arbitrary: fc
        .tuple(tie('number'), fc.constantFrom(...Object.keys(OPERATORS)), tie('number'))
        .map(([a, op, b]) => ({
          text: `(${a.text} ${op} ${b.text})`,
          of: (value: number) => OPERATORS[op]!(a.of(value), b.of(value)),
        })),
    },
    {
      weight: 1,
      arbitrary: tie('number').map((a) => ({ text: `-(${a.text})`, of: (value: number) => -a.of(value) })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('condition'), tie('number'), tie('number')).map(([c, a, b]) => ({
        text: `(${c.text} ? ${a.text} : ${b.text})`,
        of: (value: number) => (c.of(value) ? a.of(value) : b.of(value)),
      })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('min', 'max', 'hypot'), tie('number'), tie('number')).map(([name, a, b]) => ({
        text: `${name}(${a.text}, ${b.text})`,
        of: (value: number) => Math[name as 'min'](a.of(value), b.of(value)),
      })),
    },
  ),
  condition: fc.tuple(tie('number'), fc.constantFrom(...Object.keys(COMPARISONS)), tie('number')).map(([a, op, b]) => ({
    text: `${a.text} ${op} ${b.text}`,
    of: (value: number) => COMPARISONS[op]!(a.of(value), b.of(value)),
  })),
}));

test('a random formula is what JavaScript makes of it in doubles, and never a number that there is not', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`expression.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(
      number,
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
      (formula, values) => {
        const made = Expression.compile(formula.text, DERIVATION_NAMES);
        if (!(made instanceof Expression)) throw new Error(`${formula.text}: ${made.message}`);
        for (const value of values) {
          const expected = formula.of(value);
          const found = made.evaluate({ value, device: 'd', metric: 'm', tags: {} });
          expect(found).toBe(Number.isFinite(expected) ? expected + 0 : undefined);
        }
      },
    ),
    { seed, numRuns: Number(process.env['RUNS'] ?? 1000) },
  );
});

test('no text makes compiling throw, or an expression give anything but a finite number, a boolean or nothing', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`expression.property (hostile): SEED=${seed}\n`);
  const words =
    'value device metric tags . [ ] ( ) { } , : ? + - * / % < == && || ! in "a" \'\\\' 9 1e400 0x 1u null true min has string double size map all constructor __proto__ toString'.split(
      ' ',
    );
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(text, (one) => {
      const made = Expression.compile(one, DERIVATION_NAMES);
      if (!(made instanceof Expression)) {
        expect(made.message).not.toBe('');
        expect(made.at).toBeGreaterThanOrEqual(0);
        return;
      }
      const found = made.evaluate({ value: 3, device: 'd', metric: 'm', tags: { a: '1' } });
      expect(['boolean', 'undefined', 'number']).toContain(typeof found);
      if (typeof found === 'number') expect(Number.isFinite(found)).toBe(true);
    }),
    { seed, numRuns: Number(process.env['RUNS'] ?? 3000) },
  );
});
