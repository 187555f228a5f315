import { sinkRigs } from './rigs.ts';
import { testRigs } from './test-rigs.ts';

testRigs(sinkRigs);
