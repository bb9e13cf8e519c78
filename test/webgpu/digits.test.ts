import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runRecipe } from '../../src/run/run.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';

let out: string;
beforeAll(async () => (out = await mkdtemp(path.join(tmpdir(), 'limbeck-'))));
afterAll(() => rm(out, { recursive: true }));

/** Test score of every model of the digits-csv recipe, in percent. */
async function scores(device: string): Promise<Map<string, number>> {
  const loaded = await loadRunnable('recipes/digits-csv.yaml', [`device=${device}`, `name=digits-${device}`]);
  const { report } = await runRecipe(loaded, { out });
  expect(report.machine).toMatchObject({ engine: 'onnxruntime', device });
  const trained = report.stages!.filter(({ stage }) => ['teach', 'scratch', 'distill'].includes(stage));
  expect(trained).toHaveLength(3);
  // Saved and best states come back; steps move no state. Before, each moved it there and back.
  for (const { traffic } of trained) {
    if (device === 'cpu') expect(traffic).toBeUndefined();
    else expect(traffic!.stateMoves).toBeLessThan(traffic!.calls / 5);
  }
  return new Map(report.models.map(({ id, score }) => [id, 100 * score.test!]));
}

it('the digits-csv recipe ends with the same accuracies on webgpu as on cpu within 0.3 points', async () => {
  const cpu = await scores('cpu');
  const webgpu = await scores('webgpu');
  expect(cpu.size).toBeGreaterThan(2);
  expect(cpu.get('distilled')).toBeGreaterThan(80);
  const differences = [...cpu].map(([id, score]) => [id, Math.abs(webgpu.get(id)! - score)]);
  expect(differences.filter(([, difference]) => !((difference as number) < 0.3))).toEqual([]);
}, 900_000);
