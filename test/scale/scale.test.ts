import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { faults } from '../consumers/kserve/schema.ts';
import type { Schema } from '../consumers/kserve/schema.ts';
import { ROOT } from '../support/built.ts';

describe('docs/clusters.md', () => {
  it('has manifests that fit the official schemas, cut by cut.mjs', async () => {
    const text = await readFile(path.join(ROOT, 'docs/clusters.md'), 'utf8');
    const manifests = [...text.matchAll(/```yaml\n(apiVersion[^]*?)```/g)].map(
      ([, block]) => parse(block!) as Manifest,
    );
    expect(manifests.map(({ kind }) => kind)).toEqual(['Job', 'MPIJob', 'TrainJob']);
    for (const manifest of manifests) {
      const file = path.join(ROOT, `test/scale/schemas/${manifest.kind}.json`);
      const schema = JSON.parse(await readFile(file, 'utf8')) as Schema;
      expect(faults(manifest, schema)).toEqual([]);
      expect(faults({ ...manifest, spec: { ...manifest.spec, unknown: 1 } }, schema)).toEqual([
        '/spec: unknown is not known',
      ]);
    }
  });

  it('has a manifest whose shards are as many as it says', async () => {
    const text = await readFile(path.join(ROOT, 'docs/clusters.md'), 'utf8');
    expect(/completions: (\d+)/.exec(text)![1]).toBe(/name: JOB_COMPLETIONS, value: '(\d+)'/.exec(text)![1]);
  });
});

interface Manifest {
  readonly kind: string;
  readonly spec: object;
}
