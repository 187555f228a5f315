#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=131072 node --disable-warning=ExperimentalWarning
// glibc would let that threshold grow with the largest buffer it has freed, to 32 MB, and keep all below in its heap: after large messages the
// process had a hundred megabytes that nobody used. Set, it does not grow. package.json and the systemd unit say the same.
//
// Plain JavaScript without syntax that an old Node cannot read: it has to be able to say what is missing.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    'Headgate needs Node 22.22 or later, but this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ').\n' +
      "Run it through npm, which uses the Node that 'npm ci' installs with it: npm start, or npx headgate --help\n",
  );
  process.exit(1);
}
const { setFlagsFromString } = await import('node:v8');
// Loading the program makes much short-lived garbage, for which V8 would grow its nursery to 16 MB and keep it. `run` lets it grow again, to a bound.
setFlagsFromString('--semi-space-growth-factor=1');
const { enableCompileCache } = await import('node:module');
enableCompileCache();
await import('./main.ts');
