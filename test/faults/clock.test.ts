import { clockRigs } from './rigs.ts';
import { testRigs } from './test-rigs.ts';

testRigs(clockRigs);
