import { describe, expect, test } from 'vitest';
import { DERIVATION_NAMES } from '../../../../gateway/pipeline/derive/derivation.ts';
import { Expression, type ExpressionProblem, Members } from '../../../../gateway/pipeline/derive/expression.ts';

const CONTEXT = { value: 7, device: 'press-1', metric: 'temperature', tags: { line: '3' } };

function expression(text: string, names = DERIVATION_NAMES): Expression {
  const made = Expression.compile(text, names);
  if (made instanceof Expression) return made;
  throw new Error(made.message);
}

function problem(text: string, names = DERIVATION_NAMES): ExpressionProblem {
  const made = Expression.compile(text, names);
  if (made instanceof Expression) throw new Error(`${text} was taken`);
  return made;
}

describe('an expression', () => {
  test.each([
    ['value * 9/5 + 32', 44.6],
    ['9/5 * value', 12.6],
    ['-value % 4', -3],
    ['value > 5', true],
    ['value > 5 ? 1 : 0', 1],
    ['min(value, 3) + max(1, 2) + abs(-1) + sqrt(16) + pow(2, 3) + round(1.6)', 20],
    ['value in [1, 7]', true],
    ['tags.line == "3" && device.startsWith("press")', true],
    ['has(tags.shift) ? 1 : 2', 2],
    ['double(tags.line) * 2', 6],
    ['value > 5 || tags.shift == "1"', true],
    ['0 * -value', 0],
    ['0x10 + 1e2', 116],
  ])('%s is computed in doubles', (text, expected) => {
    // -0 would be told apart.
    expect(expression(text).evaluate(CONTEXT)).toBe(expected);
  });

  test.each([
    ['value / 0', 'it gives Infinity, which is no number'],
    ['0 / 0 * value', 'it gives NaN, which is no number'],
    ['log(-value)', 'it gives NaN, which is no number'],
    ['pow(10, 308) * 10', 'it gives Infinity, which is no number'],
    ['double(tags.shift)', 'there is no tags.shift'],
    ['has(tags.shift) ? 1 : double(tags.shift)', 'there is no shift'],
    ['value > 9 || tags.shift == "1"', 'there is no shift'],
    ['double(device)', 'double() type error: cannot convert to double'.replaceAll('double', 'number')],
  ])('%s has no value, and says why', (text, why) => {
    const made = expression(text);
    expect(made.evaluate(CONTEXT)).toBeUndefined();
    expect(made.problem).toBe(why);
  });

  test.each([
    ['value +', 'unexpected token: the end', 7],
    ['1 + volume', 'unknown variable: volume', 4],
    ['device + value', 'no such overload: text + number', 0],
    ['2 * (value > 3)', 'no such overload: number * boolean', 0],
    ['value.x', "cannot index type 'number'", 6],
    ['device', 'it gives a text', 0],
    ['tags', 'it gives map<text, text>'.replaceAll('text', 'string'), 0],
    ['1 + matches(device, "(a+)+$")', 'unknown function matches', 4],
    ['device.matches("(a+)+$") ? 1 : 0', 'unknown function matches', 0],
    ['timestamp("2026-01-01T00:00:00Z").getHours()', 'unknown function getHours', 0],
    ['[1, 2].all(x, x > value)', 'unknown function all', 0],
    ['dyn(value) * 2', 'unknown function dyn', 0],
    ['min(value)', "found no matching overload for 'min(number)'", 0],
    [`${'('.repeat(80)}value${')'.repeat(80)}`, 'exceeded max', 0],
    [`value${' + value'.repeat(600)}`, 'exceeded max', 0],
  ])('%s is refused with its place', (text, message, at) => {
    const refused = problem(text);
    expect(refused.message.toLowerCase()).toContain(message.toLowerCase());
    if (message !== 'exceeded max') expect(refused.at).toBe(at);
    expect(refused.hint).not.toBe('');
  });

  test('tells the names and functions there are', () => {
    const { hint } = problem('volume');
    expect(hint).toMatch(/^names: value, device, metric, tags\.NAME; functions: abs, atan2, .*TEXT\.startsWith/);
  });

  test('names members of records, which a value may lack', () => {
    const names = { value: 'double', machines: { rated: 'double', line: 'string' } } as const;
    const share = expression('value / machines.rated', names);
    expect(share.evaluate({ value: 3, machines: new Members({ rated: 4, line: '3' }) })).toBe(0.75);
    expect(share.evaluate({ value: 3, machines: new Members({ line: '3' }) })).toBeUndefined();
    expect(share.problem).toBe('there is no machines.rated');
    expect(problem('machines.power', names).message).toBe('there is no power');
    expect(problem('machines.power', names).hint).toContain('machines.rated, machines.line');
    expect(problem('machines.line + value', names).message).toBe('no such overload: text + number');
  });
});
