import { describe, expect, test } from 'vitest';
import { byDependency, type DerivedDefinition, findCycle } from '../../../../gateway/pipeline/derive/dependencies.ts';

function derivation(name: string, reads: string, metric: string): DerivedDefinition {
  return { source: `derive:${name}`, reads: [reads], placedLike: reads, metric };
}

describe('cycles among derived series', () => {
  test('a chain is none', () => {
    expect(findCycle([derivation('b', '*/a', 'b'), derivation('c', '*/b', 'c'), derivation('d', '*/c', 'd')])).toBe(
      undefined,
    );
  });

  test('a derivation that reads what it derives is named twice', () => {
    expect(findCycle([derivation('double', '*', 'double')])).toEqual(['derive:double', 'derive:double']);
  });

  test('a cycle of several is named in the order of its readings, without what only leads to it', () => {
    const definitions = [
      derivation('in', '*/x', 'a'),
      derivation('b', '*/a', 'b'),
      derivation('c', '*/b', 'c'),
      derivation('a', '*/c', 'a'),
    ];
    expect(findCycle(definitions)).toEqual(['derive:b', 'derive:c', 'derive:a', 'derive:b']);
  });

  test('a join is part of a cycle by either side', () => {
    const join = { source: 'join:power', reads: ['*/voltage', '*/gain'], placedLike: '*/voltage', metric: 'power' };
    expect(findCycle([join, derivation('gain', '*/power', 'gain')])).toEqual([
      'join:power',
      'derive:gain',
      'join:power',
    ]);
  });

  test.each([
    { reads: 'press-1/t', other: 'press-2/t_f', cycle: false },
    { reads: 'press-*/t', other: 'p*-1/t_f', cycle: true },
    { reads: 'hall/*/t', other: 'yard/*/t_f', cycle: false },
    { reads: 'hall/*/t', other: '*/t_f', cycle: true },
    { reads: '*a*b/t', other: 'xaybz/t_f', cycle: false },
    { reads: '*a*b/t', other: 'xayb/t_f', cycle: true },
    { reads: 't*', other: 't_f', cycle: true },
  ])('devices and sites tell cycles apart: $reads and back from $other', ({ reads, other, cycle }) => {
    const found = findCycle([derivation('there', reads, 't_f'), derivation('back', other, 't')]);
    expect(found !== undefined).toBe(cycle);
  });

  test('long patterns of many stars are compared at once', () => {
    const stars = `${'*a'.repeat(400)}*`;
    expect(
      findCycle([derivation('there', `${stars}/t`, 'u'), derivation('back', `${'a*'.repeat(400)}b/u`, 't')]),
    ).toEqual(['derive:there', 'derive:back', 'derive:there']);
  });
});

describe('the order by dependency', () => {
  const order = (...definitions: DerivedDefinition[]) => byDependency(definitions).map(({ source }) => source);

  test('puts each after what it reads, through any number of others', () => {
    const join = { source: 'join:power', reads: ['*/b', '*/current'], placedLike: '*/b', metric: 'power' };
    expect(order(derivation('kilo', '*/power', 'kilo'), join, derivation('b', '*/a', 'b'))).toEqual([
      'derive:b',
      'join:power',
      'derive:kilo',
    ]);
  });

  test('leaves what has nothing to do with each other where it stands', () => {
    const definitions = [derivation('z', '*/c', 'z'), derivation('y', '*/a', 'y'), derivation('c', '*/b', 'c')];
    expect(order(...definitions)).toEqual(['derive:c', 'derive:z', 'derive:y']);
    expect(order(derivation('z', '*/a', 'z'), derivation('y', '*/a', 'y'))).toEqual(['derive:z', 'derive:y']);
  });

  test('leaves nothing out where there is a cycle', () => {
    expect(order(derivation('there', '*/a', 'b'), derivation('back', '*/b', 'a'))).toEqual([
      'derive:back',
      'derive:there',
    ]);
  });
});
