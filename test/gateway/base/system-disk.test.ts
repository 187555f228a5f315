import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { errorCode, writeFully } from '../../../gateway/core/disk.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

describe('the disk of the machine', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  it('reads back what it wrote, and fewer bytes at the end', async () => {
    const file = await systemDisk.open(join(folder, 'a'), 'create');
    await writeFully(file, Buffer.from('hello'), 0);
    await writeFully(file, Buffer.from('y'), 0);
    await file.datasync();
    const target = Buffer.alloc(10);
    expect(await file.read(target, 1)).toBe(4);
    expect(target.toString('utf8', 0, 4)).toBe('ello');
    await file.truncate(2);
    expect(await file.size()).toBe(2);
    await file.close();
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('ye');
  });

  it('creates only what is not there, and opens only what is', async () => {
    const codes = [];
    for (const mode of ['read', 'write', 'create', 'create'] as const) {
      try {
        await (await systemDisk.open(join(folder, 'a'), mode)).close();
        codes.push('fine');
      } catch (error) {
        codes.push(errorCode(error));
      }
    }
    expect(codes).toEqual(['ENOENT', 'ENOENT', 'fine', 'EEXIST']);
  });

  it('knows how much is free', async () => {
    expect(await systemDisk.freeBytes(folder)).toBeGreaterThan(0);
  });

  it('gives a lock to one holder at a time', async () => {
    const path = join(folder, 'lock');
    const unlock = await systemDisk.lock(path);
    await expect(systemDisk.lock(path)).rejects.toMatchObject({
      message: `cannot lock ${path}: process ${process.pid} is using it`,
      hint: expect.stringContaining('stop process'),
    });
    await unlock();
    await (await systemDisk.lock(path))();
  });

  it('takes over the lock of a process that was killed', async () => {
    const path = join(folder, 'lock');
    const module = new URL('../../../gateway/base/system-disk.ts', import.meta.url).href;
    const script = `const { systemDisk } = await import(${JSON.stringify(module)});
      await systemDisk.lock(${JSON.stringify(path)}); console.log('locked'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(systemDisk.lock(path)).rejects.toThrow(`process ${child.pid} is using it`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await systemDisk.lock(path))();
  });

  it('takes over a lock of this process id from another boot, or one that makes no sense', async () => {
    const path = join(folder, 'lock');
    for (const target of [`${process.pid}@1@00000000-0000-0000-0000-000000000000`, 'nonsense']) {
      await symlink(target, path);
      await (await systemDisk.lock(path))();
    }
  });
});
