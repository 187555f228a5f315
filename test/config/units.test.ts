import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DURATION_PATTERN,
  formatDuration,
  formatHostPort,
  HOST_PORT_PATTERN,
  isLoopback,
  parseDuration,
  parseHostPort,
  parseSize,
  SIZE_PATTERN,
} from '../../config/units.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
    ['1y', 31_536_000_000],
    ['1m30s', 90_000],
    ['1h 30m', 5_400_000],
    ['0.5s', 500],
    [' 10 s ', 10_000],
    ['0', 0],
    [0, 0],
    ['0s', 0],
  ])('%j is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['10', 'a duration needs a unit: got "10", write 10s or 10ms'],
    [10, 'a duration needs a unit: got 10, write 10s or 10ms'],
    ['-10s', 'a duration must not be negative: got "-10s"'],
    ['10 seconds', 'not a duration: got "10 seconds"'],
    ['s', 'not a duration: got "s"'],
    ['', 'not a duration: got ""'],
    ['1e3s', 'not a duration: got "1e3s"'],
    ['200000d', 'a duration must be at most 100 years: got "200000d"'],
    [`${'9'.repeat(400)}d`, expect.stringContaining('at most 100 years')],
  ])('%j is none, and the reason says so', (text, reason) => {
    expect(parseDuration(text)).toEqual(reason);
  });

  test('a written duration reads back equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000_000_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(['1m', '90s', '0s', '1500ms', '1d'].map((text) => formatDuration(parseDuration(text) as number))).toEqual([
      '1m',
      '90s',
      '0s',
      '1500ms',
      '1d',
    ]);
  });
});

describe('sizes', () => {
  test.each([
    ['500 MiB', 524_288_000],
    ['2GiB', 2_147_483_648],
    ['64kB', 64_000],
    ['1.5 MiB', 1_572_864],
    ['100', 100],
    [4096, 4096],
    ['12 B', 12],
    ['0', 0],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    ['500 mib', 'unknown unit of size "mib" in "500 mib", did you mean MiB?'],
    ['5 furlongs', 'unknown unit of size "furlongs" in "5 furlongs"'],
    ['-5 MB', 'a size must not be negative: got "-5 MB"'],
    [-5, 'a size must not be negative: got -5'],
    ['much', 'not a size: got "much"'],
    ['9999999 TiB', 'a size must be below 8 PiB: got "9999999 TiB"'],
  ])('%j is none, and the reason says so', (text, reason) => {
    expect(parseSize(text)).toBe(reason);
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1:1883', { host: '127.0.0.1', port: 1883 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[fe80::1]:1', { host: 'fe80::1', port: 1 }],
  ])('%s is taken apart and put together again', (text, address) => {
    expect(parseHostPort(text)).toEqual(address);
    expect(formatHostPort(address)).toBe(text);
  });

  test.each([
    ['1883', 'an address needs a host: got "1883", write 127.0.0.1:1883'],
    [1883, 'an address needs a host: got 1883, write 127.0.0.1:1883'],
    [':1883', 'an address needs a host: got ":1883", write 127.0.0.1:1883'],
    ['localhost', 'an address needs a port: got "localhost"'],
    ['localhost:http', 'an address needs a port: got "localhost:http"'],
    ['localhost:65536', 'a port must be 0 to 65535: got 65536'],
    ['::1', 'an address needs a port: got "::1"'],
    ['fe80::1%eth0:1883', 'an address needs a port: got "fe80::1%eth0:1883"'],
    ['300.1.1.1:80', 'not an IPv4 address: got "300.1.1.1"'],
    ['[::zz]:80', 'not an IPv6 address: got "::zz"'],
    ['*:80', 'not a host: got "*"'],
    ['http://localhost:80', 'not a host: got "http://localhost"'],
  ])('%j is none, and the reason says so', (text, reason) => {
    expect(parseHostPort(text)).toBe(reason);
  });

  test('only what this machine alone can reach is loopback', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '::ffff:127.0.0.1'])
      expect(isLoopback(host), host).toBe(true);
    for (const host of ['0.0.0.0', '::', '192.168.1.2', '127.0.0.1.example', 'localhost.example', 'gateway']) {
      expect(isLoopback(host), host).toBe(false);
    }
  });
});

test('the patterns that editors use take what the gateway takes', () => {
  const anyText = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9.]{0,4} ?[a-zA-Z]{0,3}$/),
    fc.stringMatching(/^[a-z0-9.:[\]]{1,12}$/),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      if (typeof parseDuration(text) === 'number') expect(text).toMatch(new RegExp(DURATION_PATTERN));
      if (typeof parseSize(text) === 'number') expect(text).toMatch(new RegExp(SIZE_PATTERN));
      if (typeof parseHostPort(text) === 'object') expect(text.trim()).toMatch(new RegExp(HOST_PORT_PATTERN));
    }),
    { numRuns: 2000 },
  );
});
