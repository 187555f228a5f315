import { diskRigs } from './rigs.ts';
import { testRigs } from './test-rigs.ts';

testRigs(diskRigs);
