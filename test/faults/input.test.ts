import { inputRigs } from './rigs.ts';
import { testRigs } from './test-rigs.ts';

testRigs(inputRigs);
