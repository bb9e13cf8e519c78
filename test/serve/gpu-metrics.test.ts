import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import { describeGpus } from '../../src/serve/gpu-metrics.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Values of the metrics, without their help. */
async function values(command: string): Promise<string[]> {
  const registry = new Registry();
  describeGpus(registry, command);
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

it("tells what nvidia-smi says of each GPU under Triton's names, and leaves out what a card does not know", async () => {
  const file = path.join(folder(), 'nvidia-smi');
  const answers = 'GPU-1, 37, 81559, 1024, 120.50, 700.00\\nGPU-2, 0, 81559, 0, [N/A], [N/A]\\n';
  const fields = 'uuid,utilization.gpu,memory.total,memory.used,power.draw,power.limit';
  writeFileSync(file, `#!/bin/sh\n[ "$1" = --query-gpu=${fields} ] && printf '${answers}'\n`);
  chmodSync(file, 0o755);
  expect(await values(file)).toEqual([
    'nv_gpu_utilization{gpu_uuid="GPU-1"} 0.37',
    'nv_gpu_utilization{gpu_uuid="GPU-2"} 0',
    `nv_gpu_memory_total_bytes{gpu_uuid="GPU-1"} ${81559 * 2 ** 20}`,
    `nv_gpu_memory_total_bytes{gpu_uuid="GPU-2"} ${81559 * 2 ** 20}`,
    `nv_gpu_memory_used_bytes{gpu_uuid="GPU-1"} ${2 ** 30}`,
    'nv_gpu_memory_used_bytes{gpu_uuid="GPU-2"} 0',
    'nv_gpu_power_usage{gpu_uuid="GPU-1"} 120.5',
    'nv_gpu_power_limit{gpu_uuid="GPU-1"} 700',
  ]);
});

it('has no values where there is no nvidia-smi', async () => {
  expect(await values(path.join(folder(), 'nvidia-smi'))).toEqual([]);
});
