import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { npyHeader } from '../../../src/base/numpy.ts';
import { readNpz } from '../../../src/data/formats/npz/npz.ts';
import { shadowOf } from '../../../src/observers/shadow/observe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { classifier } from '../../serve/models.ts';
import { ask, floats, serving } from '../../serve/server.ts';

const folder = temporaryFolder();
/** CAP_SYS_ADMIN, which root has outside of most containers. */
const canMount = process.platform === 'linux' && ((capabilities() >> 21n) & 1n) === 1n;

function capabilities(): bigint {
  return BigInt(`0x${/CapEff:\s+(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`);
}

(canMount ? it : it.skip)(
  'a disk that is full ends the samples of a shadow with a warning, and nothing else',
  async () => {
    const disk = path.join(folder(), 'disk');
    await mkdir(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status).toBe(0);
    const teacher = path.join(folder(), 'teacher.onnx');
    await writeFile(teacher, classifier({ seed: 1 }));
    const kept = path.join(disk, 'kept');
    const shadow = { teacher, share: 1, keep: { folder: kept, mostBytes: 2 ** 30 } };
    const server = await serving({ 'animals.onnx': classifier() }, { shadow });
    try {
      const warned = (): string[] => server.lines.filter((line) => line.includes('ENOSPC'));
      const x = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(i), i % 7, -i]);
      let asked = 0;
      for (; asked < 2000 && warned().length === 0; asked++)
        expect((await ask(server, '/v2/models/animals/infer', { body: floats({ x }) })).status).toBe(200);
      expect(warned()).toHaveLength(1);
      expect((await statfs(disk)).bfree).toBe(0);
      for (let i = 0; i < 100; i++)
        expect((await ask(server, '/v2/models/animals/infer', { body: floats({ x }) })).status).toBe(200);
      expect(warned()).toHaveLength(1);
      const rows = shadowOf(server.host)!.kept!;
      process.stdout.write(
        `${rows} samples on a disk of 64 KiB, then ${JSON.stringify(shadowOf(server.host)!.counts)}\n`,
      );
      // What was kept before is whole: as many rows in each of the files.
      const counts = await Promise.all(
        ['samples', 'labels', 'logits'].map(async (name) => {
          const bytes = await readFile(path.join(kept, `${name}.npy`));
          const { shape } = npyHeader(bytes, name);
          expect(bytes.length).toBeGreaterThanOrEqual(128 + 4 * shape[0]!);
          return shape[0]!;
        }),
      );
      expect(counts).toEqual([rows, rows, rows]);
      const split = await readNpz({ samples: path.join(kept, 'samples.npy'), labels: path.join(kept, 'labels.npy') }, { layout: undefined }); // prettier-ignore
      expect(split.labels.values).toHaveLength(rows);
    } finally {
      await server.end();
      spawnSync('umount', [disk]);
    }
  },
);
