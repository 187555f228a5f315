import { processRigs } from './rigs.ts';
import { testRigs } from './test-rigs.ts';

testRigs(processRigs);
